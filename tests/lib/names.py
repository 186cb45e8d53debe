"""Names of a test's own, served by dnsmasq on 127.0.0.1:53, for a network and mount namespace (posthorn.private_namespace(network=True)).

    with names.Server(["host-record=good.test,127.0.1.1", "mx-host=first.test,good.test,10"], down=["slow.test"]):
        …                                   # every process of this mount namespace asks it

records: lines of dnsmasq.conf(5). down: domains whose servers do not answer: a temporary failure. Everything else below test is NXDOMAIN.
"""
import os, shutil, subprocess, tempfile
import posthorn


class Server:
    def __init__(self, records, down=()):
        if not shutil.which("dnsmasq"):
            posthorn.skip("dnsmasq is not installed")
        self.directory = tempfile.mkdtemp(prefix="posthorn-names-")
        self.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        self.write("hosts", "127.0.0.1 localhost\n")
        lines = ["port=53", "no-resolv", "no-hosts", "no-daemon", "user=root", "bind-interfaces", "listen-address=127.0.0.1", "local=/test/", "host-record=ready.test,127.0.0.1",
                 "pid-file=" + self.directory + "/pid"]
        lines += ["server=/%s/127.0.0.1#5399" % domain for domain in down] + list(records)
        self.write("dnsmasq.conf", "\n".join(lines) + "\n")

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w") as f:
            f.write(text)

    def __enter__(self):
        for name in ("resolv.conf", "hosts"):
            subprocess.run(["mount", "--bind", os.path.join(self.directory, name), os.path.realpath("/etc/" + name)], check=True)
        self.process = subprocess.Popen(["dnsmasq", "-k", "-C", os.path.join(self.directory, "dnsmasq.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        posthorn.wait_for("dnsmasq", lambda: subprocess.run(["getent", "ahosts", "ready.test"], capture_output=True).returncode == 0)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        for name in ("resolv.conf", "hosts"):
            subprocess.run(["umount", os.path.realpath("/etc/" + name)], check=True)
        shutil.rmtree(self.directory, ignore_errors=True)
