"""Clients that send for as long as they are let, by every way in, and remember what was acknowledged."""
import collections, contextlib, os, random, re, smtplib, ssl, subprocess, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import PEER, wait_for
from world import World

TLS = ssl._create_unverified_context()
SMTP_SOURCE = os.path.join(PEER, "usr/sbin/smtp-source")               # Debian's, where it is unpacked


class Load:
    """threads clients at once. acknowledged: address -> when, on the monotonic clock. replies: how often each code that refused came;
    broken: what ended without one, by its way in and how; ways: messages taken over TLS, in the clear, from sendmail, from smtp-source where it is there."""

    def __init__(self, world, threads=4, sizes=(10, 10, 3000, 3000, 100000), prefix="m"):
        self.world, self.sizes, self.prefix = world, sizes, prefix
        self.lock = threading.Lock()
        self.acknowledged, self.replies, self.ways, self.broken, self.number = {}, collections.Counter(), collections.Counter(), collections.Counter(), 0
        self.stopping, self.may_run, self.at_work = False, threading.Event(), 0
        self.may_run.set()
        self.threads = [threading.Thread(target=self._work, args=(i,), daemon=True) for i in range(threads)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def pause(self):
        """Returns when nobody is sending."""
        self.may_run.clear()
        wait_for("clients to pause", lambda: self.at_work == 0, 60)

    def go_on(self):
        self.may_run.set()

    def __exit__(self, *_):
        self.stopping = True
        self.may_run.set()
        for t in self.threads:
            t.join(90)

    def _recipients(self, rng):
        with self.lock:
            self.number += 1
            tag = "%s%d" % (self.prefix, self.number)
        user = self.world.box_user
        ways = ["%s@out.test", user + "+%s@local.test", "dir+%s@local.test", "dir-%s@virt.test", "box-%s@virt.test", "soft-%s@out.test"]
        return [way % tag for way in rng.sample(ways, rng.choice((1, 1, 2, 3)))], "back-%s@back.test" % tag

    def _work(self, seat):
        rng = random.Random(seat)
        ways = [(self._smtp, False), (self._smtp, True), (self._sendmail, None)] + [(self._smtp_source, None)] * os.access(SMTP_SOURCE, os.X_OK)
        while not self.stopping:
            self.may_run.wait()
            with self.lock:
                self.at_work += 1
            way, tls = rng.choice(ways) if seat else ways[0]
            before = len(self.acknowledged)
            way(rng, tls)
            with self.lock:
                self.at_work -= 1
            if len(self.acknowledged) == before:
                time.sleep(0.02)                 # nobody listens just now

    def _acknowledge(self, recipients, way):
        now = time.monotonic()
        with self.lock:
            self.ways[way] += 1
            self.acknowledged.update((r, now) for r in recipients)

    def _refused(self, code, text):
        with self.lock:
            self.replies[code] += 1
            self.replies["%d %s" % (code, text.decode(errors="replace")[:60])] += 1

    def _broken(self, way, how=""):
        with self.lock:
            self.broken[("%s %s" % (way, how)).strip()] += 1

    def _smtp(self, rng, tls):
        try:
            with contextlib.closing(self.world.smtp()) as client:
                if tls:
                    client.ehlo("client.test")
                    code, text = client.starttls(context=TLS)
                    if code != 220:
                        return self._refused(code, text)
                client.ehlo("client.test")
                for _ in range(rng.choice((1, 1, 3))):
                    recipients, sender = self._recipients(rng)
                    for step in [lambda: client.mail(sender)] + [lambda r=r: client.rcpt(r) for r in recipients] + [lambda: client.data(World.text(rng.choice(self.sizes)))]:
                        code, text = step()
                        if code >= 400:
                            return self._refused(code, text)
                    self._acknowledge(recipients, "TLS" if tls else "plain")
        except smtplib.SMTPResponseException as e:
            self._refused(e.smtp_code, e.smtp_error if isinstance(e.smtp_error, bytes) else str(e.smtp_error).encode())
        except (OSError, smtplib.SMTPException, ValueError) as e:
            self._broken("TLS" if tls else "plain", e)

    def _sendmail(self, rng, _):
        recipients, sender = self._recipients(rng)
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self.world.submit_locally(sender, recipients):
                return self._acknowledge(recipients, "sendmail")
        self._broken("sendmail")

    def _smtp_source(self, rng, _):
        """A few messages in two sessions; it numbers their recipients. What it says for each recipient is known only when all were taken."""
        _, sender = self._recipients(rng)
        to, count = sender.split("@")[0] + rng.choice(("@out.test", "-dir@virt.test", "-box@virt.test")), rng.choice((1, 2, 4))
        message = os.path.join(self.world.directory, "message-%d" % rng.choice(self.sizes))
        if not os.path.exists(message):
            with open(message + sender, "w") as f:
                f.write(World.text(int(message.rsplit("-", 1)[1])).replace("\r", ""))
            os.rename(message + sender, message)
        done = subprocess.run([SMTP_SOURCE, "-N", "-s", "2", "-m", str(count), "-F", message, "-f", sender, "-t", to, "127.0.0.1:%d" % self.world.port],
                              capture_output=True, env=dict(os.environ, LD_LIBRARY_PATH=os.path.join(PEER, "usr/lib/postfix")), timeout=90)
        if done.returncode == 0:
            return self._acknowledge(["%d%s" % (n + 1, to) for n in range(count)], "smtp-source")
        said = re.search(rb"\b([45]\d\d) (\d\.[^\n]*)", done.stderr)   # it gives up at a reply that it does not like, and quotes it
        if said:
            return self._refused(int(said.group(1)), said.group(2))
        self._broken("smtp-source", done.stderr.decode(errors="replace").strip()[-100:])

    def wait_more(self, count, seconds=30):
        """Waits until so many more recipients have been acknowledged."""
        target = len(self.acknowledged) + count
        wait_for("%d more acknowledged recipients; replies %s" % (count, dict(self.replies)), lambda: len(self.acknowledged) >= target, seconds)

    def missing(self):
        found = self.world.outcomes()
        return [address for address in self.acknowledged if not found[address]["delivered"]]

    def twice(self):
        found = self.world.outcomes()
        return [address for address in self.acknowledged if found[address]["delivered"] > 1]


def self_signed(world):
    """Settings that let smtpd offer TLS."""
    name = os.path.join(world.config, "cert")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=mx.test",
                    "-keyout", name + ".key", "-out", name + ".pem"], check=True, capture_output=True)
    return "smtpd_tls_cert_file = %s.pem\nsmtpd_tls_key_file = %s.key\nsmtpd_tls_security_level = may\n" % (name, name)
