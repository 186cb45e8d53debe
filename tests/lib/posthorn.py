"""A private Posthorn (or Debian's Postfix) for a system test: own directory, loopback ports, log file.

    with posthorn.Instance(main="mydestination = example.test") as mta:
        mta.smtp().sendmail("a@client.test", ["alice@example.test"], "Subject: x\n\nhello\n")
        mta.wait_log(r"status=sent")

Every wait is for a condition, with a limit. When a test fails the log is shown. Exit 77 means skipped.
"""
import contextlib, os, pwd, random, re, shutil, signal, smtplib, socket, subprocess, sys, tempfile, threading, time

SOURCE = os.environ.get("SOURCE_DIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("BUILD_DIR") or os.path.join(SOURCE, "build", "debug")
SHARED = os.path.abspath(os.path.join(SOURCE, "..", "shared"))
PEER = os.environ.get("POSTHORN_PEER", "/var/tmp/posthorn-peer")
OPEN_BUILD = "/usr/lib/posthorn-build"           # an empty directory, but in private_namespace()


def skip(reason):
    print("SKIPPED: " + reason)
    sys.exit(77)


def need_root():
    if os.geteuid() != 0:
        skip("needs root: daemons take and give up users' rights")


def private_namespace(network=False):
    """Goes on in a mount namespace of its own (with network=True also a network one, loopback up), in which Debian's unpacked
    postfix finds its libraries at /usr/lib/postfix, and BUILD is seen at a place that every user may enter, with no blank in its name:
    the checkout itself may lie below /root. A test that runs programs as another user needs that. Call it first of all."""
    if os.environ.get("POSTHORN_NAMESPACE") == "yes":
        return
    need_root()
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        skip("this machine gives no mount namespace")
    script = 'mount --make-rprivate / && '
    if os.path.isdir(os.path.join(PEER, "usr/lib/postfix")):
        script += 'mkdir -p /usr/lib/postfix && mount --bind "%s/usr/lib/postfix" /usr/lib/postfix && ' % PEER
    if os.path.isdir(BUILD):
        script += 'mkdir -p -m 755 %s && mount --bind "$BUILD_DIR" %s && export BUILD_DIR=%s && ' % ((OPEN_BUILD,) * 3)
    if network:
        script += "ip link set lo up && "
    os.environ.update(POSTHORN_NAMESPACE="yes", BUILD_DIR=BUILD)
    os.execvp("unshare", ["unshare", "-m"] + (["-n"] if network else []) + ["bash", "-c", script + 'exec "$@"', "bash", sys.executable] + sys.argv)


def accounts(directory, *names):
    """The accounts that a server was built to run as, where this machine has none, in this mount namespace only. directory: for two files."""
    for path, entry in (("/etc/passwd", "%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n"), ("/etc/group", "%s:x:%d:\n")):
        text = open(path).read()
        for number, name in enumerate(names, 64990):
            if not re.search("^%s:" % name, text, re.M):
                text += entry % ((name, number, number) if path == "/etc/passwd" else (name, number))
        copy = os.path.join(directory, os.path.basename(path))
        with open(copy, "w") as f:
            f.write(text)
        subprocess.run(["mount", "--bind", copy, path], check=True)


_ports = random.Random(os.getpid() * 1000003 ^ time.time_ns())
_ports_given = set()


def free_port():
    """A port below those that the kernel gives to clients (32768 and up): no connection takes it before the server listens."""
    while True:
        port = _ports.randrange(12000, 32000)
        if port in _ports_given:
            continue
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            _ports_given.add(port)
            return port


# tests/mutation/parameters: with IGNORE_PARAMETER=name what a test sets of it is left out of main.cf and master.cf. A test that does not
# fail then does not show what the parameter does. The private instance's own frame stays as it is.
IGNORED = os.environ.get("IGNORE_PARAMETER", "")
FRAME = {"config_directory", "queue_directory", "data_directory", "command_directory", "daemon_directory", "sendmail_path", "newaliases_path", "mailq_path",
         "mail_owner", "setgid_group", "maillog_file", "maillog_file_prefixes", "shlib_directory", "meta_directory"}


def ignored_names(name):
    """A regular expression for the names that `name` stands for: a family (transport_destination_rate_delay) is each transport's."""
    family = name.startswith("transport_") and name not in ("transport_maps", "transport_retry_time")
    return r"(?!default_)\w+" + name[len("transport"):] if family else re.escape(name)


def without_ignored(text):
    """A main.cf or master.cf without what sets the ignored parameter: lines `name = value` with their continuations, `-o name=value`."""
    if not IGNORED or IGNORED in FRAME:
        return text
    name = ignored_names(IGNORED)
    text = re.sub(r"^%s[ \t]*=.*\n?(?:[ \t].*\n?|#.*\n(?=[ \t]))*" % name, "", text, flags=re.M)
    inside = r"[^{}]"
    for _ in range(3):                           # braces within braces
        inside = r"(?:[^{}]|\{%s*\})" % inside
    return re.sub(r"-o\s*(?:\{\s*%s\s*=%s*\}|%s=(?:\{%s*\}|[^\s{}])*)" % (name, inside, name, inside), "", text)


def wait_for(what, condition, seconds=20.0):
    """The first true value of condition(); fails when there is none in time. Time in which this machine stood still does not count, and
    the last look is after the end: what was waited for had its chance."""
    end = time.monotonic() + (min(seconds, 10) if IGNORED else seconds)          # many of those runs fail, and by waiting
    while True:
        last = time.monotonic() > end
        value = condition()
        if value:
            return value
        if last:
            raise AssertionError("waited %.0f s in vain for %s" % (seconds, what))
        asleep = time.monotonic()
        time.sleep(0.02)
        late = time.monotonic() - asleep - 0.02
        if late > 0.2:
            end += late


def runs(pid):
    """False also for a process that has ended and that nobody has waited for yet."""
    with contextlib.suppress(OSError), open("/proc/%d/stat" % int(pid)) as f:
        return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    return False


MASTER_CF = """
{port}     inet  n - n - - smtpd
pickup     unix  n - n 60 1 pickup
cleanup    unix  n - n - 0 cleanup
qmgr       unix  n - n 300 1 qmgr
tlsmgr     unix  - - n 1000? 1 tlsmgr
rewrite    unix  - - n - - trivial-rewrite
bounce     unix  - - n - 0 bounce
defer      unix  - - n - 0 bounce
trace      unix  - - n - 0 bounce
flush      unix  n - n 1000? 0 flush
smtp       unix  - - n - - smtp
relay      unix  - - n - - smtp
showq      unix  n - n - - showq
error      unix  - - n - - error
retry      unix  - - n - - error
discard    unix  - - n - - discard
local      unix  - n n - - local
virtual    unix  - n n - - virtual
lmtp       unix  - - n - - lmtp
anvil      unix  - - n - 1 anvil
postlog    unix-dgram n - n - 1 postlogd
"""


class Dialogue:
    """A client's end of an SMTP dialogue on loopback, byte for byte; the greeting is read. A reply is its lines, without their ends, with "\n" between
    them; "(gone)" is the last one where the server hangs up. A server that says nothing for timeout seconds is a TimeoutError."""

    def __init__(self, port, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.lines = self.socket.makefile("rb")
        self.greeting = self.reply()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()

    def reply(self):
        got = []
        while not got or got[-1][3:4] == "-":
            try:
                line = self.lines.readline()
            except ConnectionError:
                line = b""
            if not line:
                return "\n".join(got + ["(gone)"])
            got.append(line.decode("latin-1").rstrip("\r\n"))
        return "\n".join(got)

    def say(self, line):
        """Sends line (str: in latin-1) with CRLF behind it; the reply."""
        return self.send((line.encode("latin-1") if isinstance(line, str) else line) + b"\r\n")

    def send(self, data):
        try:
            self.socket.sendall(data)
        except ConnectionError:
            return "(gone)"
        return self.reply()


class Sink:
    """A scripted SMTP server on a loopback port (where: another address, and port). rules: command word (or "GREETING", "DOT") -> reply text, or a function of the line
    that returns one; None closes the connection. After LHLO it speaks LMTP: a reply to the text for each recipient. Every accepted message is kept in `messages` as (sender, recipients, text)."""

    def __init__(self, rules=None, extensions=("PIPELINING", "8BITMIME", "DSN", "SIZE 100000000", "SMTPUTF8"), where=("127.0.0.1", 0)):
        self.rules = dict(rules or {})
        self.extensions = extensions
        self.messages, self.commands, self.sessions = [], [], 0
        self.listener = socket.create_server(where, backlog=100)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self.listener.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.sessions += 1
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _reply(self, word, line, default):
        rule = self.rules.get(word, default)
        return rule(line) if callable(rule) else rule

    def _talk(self, connection):
        with contextlib.suppress(OSError, ValueError), connection, connection.makefile("rwb") as stream:
            def say(text):
                if text is None:
                    raise ValueError("close")
                stream.write(text.encode() + b"\r\n")
                stream.flush()
            say(self._reply("GREETING", "", "220 sink.test ESMTP"))
            sender, recipients, lmtp = None, [], False
            while True:
                line = stream.readline().decode(errors="replace").rstrip("\r\n")
                if not line:
                    return
                self.commands.append(line)
                word = line.split()[0].upper()
                default = "250 2.0.0 Ok"
                lmtp = lmtp or word == "LHLO"
                if word in ("EHLO", "LHLO"):
                    default = "\r\n".join(["250-sink.test"] + ["250-" + e for e in self.extensions[:-1]] + ["250 " + e for e in self.extensions[-1:]]) if self.extensions else "250 sink.test"
                elif word == "DATA":
                    default = "354 go on" if recipients else "554 5.5.1 no valid recipients"
                elif word == "QUIT":
                    default = "221 2.0.0 Bye"
                reply = self._reply(word, line, default)
                say(reply)
                if word == "MAIL":
                    sender, recipients = line, []
                elif word == "RCPT" and reply.startswith("2"):
                    recipients.append(line)
                elif word == "DATA" and reply.startswith("3"):
                    text = b""
                    while True:
                        part = stream.readline()
                        if part in (b".\r\n", b""):
                            break
                        text += part[1:] if part.startswith(b"..") else part
                    verdict = self._reply("DOT", text.decode(errors="replace"), "250 2.0.0 Ok: taken")
                    if verdict and verdict.startswith("2"):
                        self.messages.append((sender, recipients, text))
                    for _ in recipients if lmtp else (1,):
                        say(verdict)
                elif word == "QUIT":
                    return


class Instance:
    """binaries: a folder with all programs, or with sbin/ and lib/postfix/sbin/ below it; peer=True: Debian's Postfix."""

    def __init__(self, main="", master="", name="mta", binaries=None, peer=False, start=True, master_cf=None, directory=None):
        need_root()
        # SUBJECT=peer runs a whole test with Debian's Postfix: what a test expects of us can be tried on the reference.
        self.peer = peer = peer or os.environ.get("SUBJECT") == "peer"
        if peer:
            private_namespace()
        self.name = name
        self.directory = directory or tempfile.mkdtemp(prefix="posthorn-%s-" % name)
        os.chmod(self.directory, 0o755)
        self.port = free_port()
        self.config = os.path.join(self.directory, "etc")
        self.queue = os.path.join(self.directory, "queue")
        self.data = os.path.join(self.directory, "data")
        self.mail = os.path.join(self.directory, "mail")
        self.log_path = os.path.join(self.directory, "maillog")
        self.sbin, self.daemons = self._binaries(binaries)
        links = os.path.join(PEER, "usr/bin") if peer else self.sbin
        self.newaliases, self.mailq = os.path.join(links, "newaliases"), os.path.join(links, "mailq")
        self.environment = dict(os.environ, MAIL_CONFIG=self.config)
        owner = pwd.getpwnam("postfix")
        for d in (self.config, self.queue, self.data, self.mail):
            os.makedirs(d, exist_ok=True)
        os.chown(self.data, owner.pw_uid, owner.pw_gid)
        os.chown(self.mail, owner.pw_uid, owner.pw_gid)
        self.write("master.cf", (master_cf or MASTER_CF).format(port="127.0.0.1:%d" % self.port) + master)
        self.write("main.cf", self._main_cf())
        self.add_main(main)
        if start:
            self.start()

    def _binaries(self, binaries):
        if self.peer:
            if not os.access(os.path.join(PEER, "usr/sbin/postfix"), os.X_OK):
                skip("Debian's postfix is not unpacked at " + PEER)
            return os.path.join(PEER, "usr/sbin"), os.path.join(PEER, "usr/lib/postfix/sbin")
        root = binaries or os.path.join(BUILD, "bin")
        if os.path.isdir(os.path.join(root, "sbin")):
            return os.path.join(root, "sbin"), os.path.join(root, "lib", "postfix", "sbin")
        return root, root

    def _main_cf(self):
        peer = "shlib_directory = /usr/lib/postfix\nmeta_directory = %s/etc/postfix\n" % PEER if self.peer else ""
        return peer + """compatibility_level = 3.6
config_directory = {0.config}
queue_directory = {0.queue}
data_directory = {0.data}
command_directory = {0.sbin}
daemon_directory = {0.daemons}
sendmail_path = {0.sbin}/sendmail
newaliases_path = {0.newaliases}
mailq_path = {0.mailq}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {0.log_path}
maillog_file_prefixes = {0.directory}
myhostname = mx.test
mydomain = test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
""".format(self)

    # --- configuration
    def path(self, *names):
        return os.path.join(self.directory, *names)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.config, name)
        with open(path + ".new", "w") as f:
            f.write(without_ignored(text) if name in ("main.cf", "master.cf") and not self.peer else text)
        os.chmod(path + ".new", mode)
        os.replace(path + ".new", path)          # a master that reads just now finds the old or the new, never half
        return path

    def add_master(self, text):
        """Adds services to master.cf."""
        with open(os.path.join(self.config, "master.cf")) as f:
            known = f.read()
        self.write("master.cf", known + text)

    def add_main(self, text):
        """Adds lines to main.cf; a parameter that is set there already is replaced."""
        path = os.path.join(self.config, "main.cf")
        names = set(re.findall(r"^(\w+)\s*=", text, re.M))
        with open(path) as f:
            kept = [line for line in f if line.split("=")[0].strip() not in names]
        self.write("main.cf", "".join(kept) + text + "\n")

    def command(self, *args, check=True, input=None, env=None, timeout=60, text=True):
        """Runs a command of ours, e.g. command("postqueue", "-p"); the CompletedProcess, output captured."""
        path = {"newaliases": self.newaliases, "mailq": self.mailq}.get(args[0]) or os.path.join(self.sbin, args[0])
        full = [path] + list(args[1:])
        if IGNORED and not self.peer and args[:2] == ("postconf", "-e"):
            full = full[:2] + [text for text in full[2:] if without_ignored(text)]
        done = subprocess.run(full, input=input, capture_output=True, text=text, timeout=timeout, env=dict(self.environment, **(env or {})))
        if check and done.returncode != 0:
            raise AssertionError("%s: exit %d\n%s%s" % (" ".join(args), done.returncode, done.stdout, done.stderr))
        return done

    def user(self, name):
        """A user of this machine for local delivery, made when missing, with a home directory in this instance's. A name for each test:
        they run side by side."""
        home = self.path("home-" + name)
        with contextlib.suppress(KeyError):
            pwd.getpwnam(name)
            subprocess.run(["userdel", name], check=True, capture_output=True)
        os.makedirs(home, exist_ok=True)
        subprocess.run(["useradd", "-M", "-d", home, "-s", "/bin/sh", name], check=True, capture_output=True)
        entry = pwd.getpwnam(name)
        os.chown(home, entry.pw_uid, entry.pw_gid)
        self.users = getattr(self, "users", []) + [name]
        return entry

    # --- life
    def start(self):
        if IGNORED:                              # also in what a test wrote past write()
            for name in ("main.cf", "master.cf"):
                with open(os.path.join(self.config, name)) as f:
                    text = f.read()
                self.write(name, text)
        self.command("postfix", "start")
        self.wait_listening()

    def wait_listening(self):
        def connects():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
                s.settimeout(10)
                return s.recv(3) == b"220"
        wait_for("a greeting on port %d" % self.port, connects)

    def master_pid(self):
        with contextlib.suppress(OSError, ValueError):
            with open(os.path.join(self.queue, "pid", "master.pid")) as f:
                return int(f.read())
        return 0

    def stop(self, how="stop"):
        pid = self.master_pid()
        self.command("postfix", how, check=False)
        if pid:
            wait_for("the end of master", lambda: not runs(pid))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        with contextlib.suppress(Exception):
            self.stop("abort" if kind else "stop")
        for name in getattr(self, "users", []):
            subprocess.run(["userdel", name], capture_output=True)
        if kind and kind is not SystemExit:                # the failed condition comes last: Python prints it after this
            print("--- maillog of %s, the last lines" % self.name)
            print("\n".join(line[:300] for line in self.log().splitlines()[-25:]), flush=True)
        elif not os.environ.get("KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)

    # --- what can be seen
    def log(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.log_path, errors="replace") as f:
                return f.read()
        return ""

    def wait_log(self, pattern, count=1, seconds=20.0):
        """All matches of pattern in the log, once there are `count` of them."""
        found = re.compile(pattern, re.M)
        def enough():
            matches = list(found.finditer(self.log()))
            return matches if len(matches) >= count else None
        return wait_for("log line /%s/ (%d times)" % (pattern, count), enough, seconds)

    def queue_files(self, *queues):
        found = []
        for q in queues or ("maildrop", "incoming", "active", "deferred", "hold", "corrupt"):
            for folder, _, files in os.walk(os.path.join(self.queue, q)):
                found += [os.path.join(folder, f) for f in files]
        return found

    @staticmethod
    def size_of(path):
        """Of a queue file; 0 where it has moved on since it was listed."""
        with contextlib.suppress(FileNotFoundError):
            return os.path.getsize(path)
        return 0

    def wait_empty(self, seconds=20.0):
        wait_for("an empty queue", lambda: not self.queue_files("maildrop", "incoming", "active", "deferred"), seconds)

    # --- clients
    def smtp(self, hello="client.test"):
        return smtplib.SMTP("127.0.0.1", self.port, local_hostname=hello, timeout=30)

    def sendmail(self, sender, recipients, message):
        with self.smtp() as s:
            return s.sendmail(sender, recipients, message)
