"""A resolver that validates (unbound on 127.0.0.1:53) over zones of the test's own (nsd), signed with ldns. For a network namespace.

    with signed_dns.Resolver({"signed.example": [...records...], "plain.example": [...]}, signed=["signed.example"]) as dns:
        …                                   # every process of this mount namespace asks it

Records are zone file lines with names relative to their zone. A line that starts with "!" is changed after signing: its signature is then wrong.
"""
import os, shutil, subprocess, time
import posthorn

TOOLS = {"nsd": "/usr/sbin/nsd", "unbound": "/usr/sbin/unbound", "ldns-signzone": "/usr/bin/ldns-signzone", "ldns-keygen": "/usr/bin/ldns-keygen"}


def need_tools():
    for name, path in TOOLS.items():
        if not (shutil.which(name) or os.access(path, os.X_OK)):
            posthorn.skip(name + " is not installed")


class Resolver:
    def __init__(self, zones, signed=(), scratch="/tmp/posthorn-signed-dns-%d" % os.getpid()):
        self.directory, self.processes = scratch, []
        os.makedirs(scratch)
        os.chmod(scratch, 0o755)
        anchors = []
        nsd = 'server:\n  ip-address: 127.0.0.1@5300\n  username: ""\n  pidfile: ""\n  zonesdir: "%s"\n  database: ""\n  xfrdfile: ""\n  logfile: "%s/nsd.log"\n  server-count: 1\n' % (scratch, scratch)
        nsd += "remote-control:\n  control-enable: no\n"
        unbound = ""
        for zone, records in zones.items():
            path = os.path.join(scratch, zone)
            with open(path, "w") as f:
                f.write("$ORIGIN %s.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\n" % zone)
                f.write("".join(record.lstrip("!") + "\n" for record in records))
            if zone in signed:
                anchors.append(self.sign(zone, path, [r[1:] for r in records if r.startswith("!")]))
                path += ".signed"
            nsd += 'zone:\n  name: "%s"\n  zonefile: "%s"\n' % (zone, path)
            unbound += 'stub-zone:\n  name: "%s"\n  stub-addr: 127.0.0.1@5300\n' % zone
        self.write("nsd.conf", nsd)
        self.write("unbound.conf", 'server:\n  interface: 127.0.0.1\n  access-control: 127.0.0.0/8 allow\n  do-not-query-localhost: no\n  username: ""\n  chroot: ""\n  directory: "%s"\n'
                   '  pidfile: ""\n  use-syslog: no\n  module-config: "validator iterator"\n  do-ip6: no\n  root-hints: "/dev/null"\n  local-zone: "test." transparent\n  val-log-level: 2\n  logfile: "%s/unbound.log"\n'
                   % (scratch, scratch) + "".join('  trust-anchor: "%s"\n' % a for a in anchors) + unbound)
        self.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:2 attempts:2 trust-ad edns0\n")
        self.write("hosts", "127.0.0.1 localhost\n")

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w") as f:
            f.write(text)

    def sign(self, zone, path, spoilt):
        key = subprocess.run(["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "-r", "/dev/urandom", zone], cwd=self.directory, check=True, capture_output=True, text=True).stdout.strip()
        subprocess.run(["ldns-signzone", "-o", zone, "-f", path + ".signed", path, key], cwd=self.directory, check=True, capture_output=True)
        for record in spoilt:                # the last letter of the data of that owner and type becomes another one
            owner, kind = record.split()[:2]
            lines = open(path + ".signed").read().split("\n")
            for i, line in enumerate(lines):
                words = line.split()
                if len(words) > 4 and words[0].lower() == "%s.%s." % (owner.lower(), zone) and words[3] == kind:
                    dot = line.endswith(".")
                    body = line[:-1] if dot else line
                    lines[i] = body[:-1] + ("1" if body[-1] != "1" else "2") + ("." if dot else "")
            with open(path + ".signed", "w") as f:
                f.write("\n".join(lines))
        with open(os.path.join(self.directory, key + ".key")) as f:
            return " ".join(f.read().split(";")[0].split())

    def replace(self, zone, old, new):
        """Changes the text of an unsigned zone; nothing of the old one stays in a cache."""
        path = os.path.join(self.directory, zone)
        with open(path) as f:
            text = f.read()
        assert old in text, old
        with open(path, "w") as f:
            f.write(text.replace(old, new))
        self.stop()
        self.start()

    def __enter__(self):
        for name in ("resolv.conf", "hosts"):
            subprocess.run(["mount", "--bind", os.path.join(self.directory, name), "/etc/" + name], check=True)
        self.start()
        return self

    def start(self):
        path = lambda name: shutil.which(name) or TOOLS[name]
        self.processes = [subprocess.Popen([path("nsd"), "-d", "-c", self.directory + "/nsd.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
                          subprocess.Popen([path("unbound"), "-d", "-c", self.directory + "/unbound.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)]

    def stop(self):
        for process in self.processes:
            process.terminate()
            process.wait(10)

    def __exit__(self, kind, *rest):
        self.stop()
        subprocess.run(["umount", "/etc/resolv.conf", "/etc/hosts"])
        if kind is None or kind is SystemExit:
            shutil.rmtree(self.directory, ignore_errors=True)
