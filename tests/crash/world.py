"""A mail system with everything beside it that durability tests count on: where mail goes (a sink on the network, mailboxes, maildirs),
who gets reports, and what has become of each recipient.

Addresses say what shall happen: TAG@out.test is taken by the sink, soft-TAG@out.test at the second try, hard-TAG@out.test never,
stuck-TAG@out.test is put off each time, TAG@err.test is refused by the error agent, TAG@lmtp.test goes to the sink by LMTP; USER+TAG@local.test goes to a mailbox, dir+TAG@local.test
to a maildir, fwd+TAG@local.test on to fwd-TAG@out.test, box-TAG@virt.test, TAG-box@virt.test, dir-TAG@virt.test and TAG-dir@virt.test to virtual mailboxes. Reports go to
back-TAG@back.test, at the sink.
"""
import collections, contextlib, os, pwd, re, signal, smtplib, subprocess, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import Instance, Sink, free_port, runs, wait_for

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))                  # a test that takes too long takes its instance along
LAST_LINE = "this is the last line"
MAIN = """relayhost = [127.0.0.1]:{port}
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
transport_retry_time = 1s
service_throttle_time = 1s
mydestination = local.test
alias_maps = hash:{etc}/aliases
alias_database = hash:{etc}/aliases
recipient_delimiter = +
mail_spool_directory = {mail}/spool
allow_mail_to_files = alias
transport_maps = inline:{{err.test=error:5.1.1, virt.test=virtual, lmtp.test=lmtp:inet:[127.0.0.1]:{port}}}
virtual_mailbox_domains = virt.test
virtual_mailbox_base = {mail}
virtual_mailbox_maps = regexp:{etc}/virtual
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
notify_classes =
stale_lock_time = 1s
deliver_lock_delay = 1s
"""


class World(Instance):
    """main: more settings. user: a name for the user of the machine that has the mailbox."""

    def __init__(self, main="", user=None, directory=None, start=True, disk=None, **more):
        self.sink = Sink({"RCPT": self._recipient_reply}, extensions=("PIPELINING", "8BITMIME", "SIZE 100000000"))   # no DSN: reports are our own affair
        self._softly, self.stuck = set(), True
        self.disk = disk                         # where the file system is mounted that holds directory, for on_copy
        if directory:
            os.makedirs(directory, exist_ok=True)
        super().__init__(start=False, directory=directory, **more)
        owner = pwd.getpwnam("postfix")
        self.box_user = user = user or "phcrash%d" % os.getpid()
        self.user(user)
        os.makedirs(os.path.join(self.mail, "spool"), exist_ok=True)
        os.chmod(os.path.join(self.mail, "spool"), 0o1777)
        os.makedirs(os.path.join(self.mail, "aliased"), exist_ok=True)
        nobody = pwd.getpwnam("nobody")
        os.chown(os.path.join(self.mail, "aliased"), nobody.pw_uid, nobody.pw_gid)
        self.write("virtual", "/^box-|-box@/ box\n/^dir-|-dir@/ dir/\n")
        self.add_main(MAIN.format(port=self.sink.port, etc=self.config, mail=self.mail, uid=owner.pw_uid, gid=owner.pw_gid) + "default_privs = nobody\n")
        self.write("aliases", "dir: %s/aliased/\nfwd: fwd@out.test\n" % self.mail)
        self.add_main("propagate_unmatched_extensions = alias, virtual\n" + main)   # the tag travels in the extension
        self.command("newaliases")
        if start:
            self.start()

    def _recipient_reply(self, line):
        address = re.search(r"<(.*?)>", line).group(1)
        if address.startswith("hard-"):
            return "550 5.1.1 no such user"
        if (address.startswith("stuck-") and self.stuck) or (address.startswith("soft-") and address not in self._softly):
            self._softly.add(address)
            return "451 4.2.1 not now"
        return "250 2.1.5 Ok"

    def on_copy(self, directory):
        """The same mail system, not started, on a copy of the disk that is mounted at `directory`, with a sink and a port of its own."""
        other = object.__new__(World)
        other.__dict__.update(self.__dict__)
        other.sink, other.port = Sink({"RCPT": other._recipient_reply}, extensions=self.sink.extensions), free_port()
        other.stuck, other._softly = True, set()
        other.directory = self.directory.replace(self.disk, directory)
        for name in ("config", "queue", "data", "mail", "log_path"):
            setattr(other, name, getattr(self, name).replace(self.disk, directory))
        other.environment = dict(self.environment, MAIL_CONFIG=other.config)
        for name in ("main.cf", "master.cf", "aliases"):
            with open(os.path.join(other.config, name)) as f:
                text = f.read().replace(self.disk, directory)
            text = text.replace("127.0.0.1:%d" % self.port, "127.0.0.1:%d" % other.port).replace("[127.0.0.1]:%d" % self.sink.port, "[127.0.0.1]:%d" % other.sink.port)
            other.write(name, text)
        other.command("newaliases")
        return other

    # --- in
    def submit(self, sender, recipients, size=0, options=()):
        """By SMTP. The queue id once it is acknowledged; None when it was not. recipients: an address, or (address, [options])."""
        with contextlib.suppress(OSError, smtplib.SMTPException):
            with self.smtp() as client:
                client.sock.settimeout(20)
                return self.talk(client, sender, recipients, size, options)
        return None

    @staticmethod
    def talk(client, sender, recipients, size=0, options=()):
        client.ehlo_or_helo_if_needed()
        if client.mail(sender, list(options))[0] != 250:
            return None
        for r in recipients:
            address, more = r if isinstance(r, tuple) else (r, [])
            if client.rcpt(address, more)[0] != 250:
                return None
        code, text = client.data(World.text(size))
        found = re.search(rb"queued as (\w+)", text)
        return found.group(1).decode() if code == 250 and found else None

    @staticmethod
    def text(size=0):
        return "Subject: x\r\n\r\n" + ("x" * 70 + "\r\n") * (size // 72) + LAST_LINE + "\r\n"

    def submit_locally(self, sender, recipients):
        """By sendmail. True once it is acknowledged."""
        done = subprocess.run([os.path.join(self.sbin, "sendmail"), "-f", sender, "-i"] + recipients, input=self.text().replace("\r", ""), text=True,
                              capture_output=True, env=self.environment, timeout=60)
        return done.returncode == 0

    # --- out
    def mailboxes(self):
        return os.path.join(self.mail, "spool", self.box_user), os.path.join(self.mail, "box")

    def outcomes(self):
        """address -> Counter of "delivered", "returned" (a report that it failed), "reported" (other reports)."""
        found = collections.defaultdict(collections.Counter)
        for _, paths, text in list(self.sink.messages):
            for path in paths:
                address = re.search(r"<(.*?)>", path).group(1)
                if address.startswith("back-"):
                    for recipient, action in re.findall(rb"(?m)^Final-Recipient: rfc822; (.*?)\r?\n(?:Original-Recipient:.*\n)?Action: (\w+)", text):
                        found[recipient.decode()]["returned" if action == b"failed" else "reported"] += 1
                elif LAST_LINE.encode() in text:
                    found[address]["delivered"] += 1
        for path in self.mailboxes():
            with contextlib.suppress(FileNotFoundError), open(path, errors="replace") as f:
                for text in re.split(r"(?m)^From ", f.read()):
                    self._stored(found, text)
        for folder in ("aliased", "dir"):
            with contextlib.suppress(FileNotFoundError):
                for name in os.listdir(os.path.join(self.mail, folder, "new")):
                    with contextlib.suppress(FileNotFoundError), open(os.path.join(self.mail, folder, "new", name), errors="replace") as f:
                        self._stored(found, f.read())
        return found

    @staticmethod
    def _stored(found, text):
        to = re.search(r"(?m)^X-Original-To: (.*)$", text)
        if to and LAST_LINE in text:
            found[to.group(1)]["delivered"] += 1

    def forget(self):
        """Throws away what has arrived."""
        self.sink.messages.clear()
        self.sink.commands.clear()
        self._softly.clear()
        self.stuck = True
        for path in self.mailboxes():
            with contextlib.suppress(FileNotFoundError):
                os.truncate(path, 0)
        for folder in ("aliased", "dir"):
            for part in ("new", "tmp"):
                with contextlib.suppress(FileNotFoundError):
                    for name in os.listdir(os.path.join(self.mail, folder, part)):
                        os.unlink(os.path.join(self.mail, folder, part, name))

    # --- between
    def complete_files(self, *queues):
        """Queue files that hold a message: not those that somebody was writing when it died."""
        found = []
        for path in self.queue_files(*(queues or ("maildrop", "incoming", "active", "deferred"))):
            with contextlib.suppress(FileNotFoundError):
                if os.stat(path).st_mode & 0o100 and "." not in os.path.basename(path):
                    found.append(path)
        return found

    def queued_as(self, queue_id, *queues):
        return any(os.path.basename(p) == queue_id for p in self.queue_files(*queues))

    def flush(self):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.command("postqueue", "-f", check=False, timeout=20)

    def drain(self, arrived=lambda: True, seconds=60.0):
        """Tries what is deferred until the queue is empty and arrived() is true, or the queue stays empty for a second without; a master
        that is dead is started again."""
        turn = empty = 0
        def done():
            nonlocal turn, empty
            turn += 1
            # A file may be on its way from one queue to another while we look: once is not enough.
            empty = 0 if self.complete_files() else empty + 1
            if empty >= 3 and (arrived() or empty > 50):
                return True
            if not runs(self.master_pid()):
                self.revive()
            if turn % 8 == 0 and not empty:
                self.flush()
            return False
        wait_for("an empty queue", done, seconds)

    def revive(self):
        def started():
            return self.command("postfix", "start", check=False).returncode == 0
        wait_for("master to start again", started, 30)
        self.wait_listening()
