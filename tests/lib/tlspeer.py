"""Servers for the TLS client's tests: certificates made by openssl(1), and an SMTP or LMTP server on loopback that shows one of them.

    ca = tlspeer.Authority(directory, "Test CA")
    good = ca.issue("mx.good.test", names=["mx.good.test"])
    server = tlspeer.Server(good)           # .port, .sessions: what each client did
"""
import contextlib, os, socket, ssl, subprocess, threading


def openssl(*args, input=None):
    return subprocess.run(["openssl", *args], check=True, capture_output=True, input=input).stdout


class Certificate:
    def __init__(self, directory, name):
        self.key, self.file = os.path.join(directory, name + ".key"), os.path.join(directory, name + ".crt")

    def digest(self, algorithm="sha256"):
        return openssl("x509", "-in", self.file, "-noout", "-fingerprint", "-" + algorithm).decode().strip().split("=")[1]

    def key_digest(self, algorithm="sha256"):
        der = openssl("pkey", "-pubin", "-outform", "DER", input=openssl("x509", "-in", self.file, "-noout", "-pubkey"))
        return openssl("dgst", "-" + algorithm, "-c", input=der).decode().strip().split("= ")[1].upper()


class Authority(Certificate):
    """A CA of its own; by=another Authority: an intermediate one."""
    def __init__(self, directory, name, by=None):
        super().__init__(directory, name.replace(" ", "-"))
        self.directory, self.name = directory, name
        extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
        if by:
            by.sign(self, "/CN=" + name, extensions)
        else:
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=" + name, "-keyout", self.key, "-out", self.file,
                    "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def sign(self, certificate, subject, extensions, days=30, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        request = openssl("req", "-new", "-newkey", *key, "-nodes", "-subj", subject, "-keyout", certificate.key)
        conf = certificate.file + ".ext"
        with open(conf, "w") as f:
            f.write(extensions)
        command = ["x509", "-req", "-CA", self.file, "-CAkey", self.key, "-CAcreateserial", "-extfile", conf, "-out", certificate.file]
        openssl(*command, "-days", str(days), input=request)

    def issue(self, name, names=(), days=30, chain=(), file=None, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        """A server's certificate: name is its CN, names its subjectAltNames; days < 0: expired; chain: issuers sent behind it."""
        made = Certificate(self.directory, file or name)
        extensions = "basicConstraints=CA:FALSE\n"
        if names:
            extensions += "subjectAltName=" + ",".join("DNS:" + n for n in names) + "\n"
        self.sign(made, "/CN=" + name, extensions, days, key)
        with open(made.file, "a") as f:
            for issuer in chain:
                f.write(open(issuer.file).read())
        return made


def self_signed(directory, name, names=(), file=None):
    made = Certificate(directory, file or name)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=" + name, "-keyout", made.key, "-out", made.file,
            *(["-addext", "subjectAltName=" + ",".join("DNS:" + n for n in names)] if names else []))
    return made


class Server:
    """certificate: None for a server without TLS. tune(context): changes the SSLContext. path: a UNIX-domain socket. before(connection): instead
    of the handshake, after the 220 to STARTTLS. parting(connection), where set: called after the reply to QUIT; session["parting"] is what it returns."""
    ready = b"220 2.0.0 Ready\r\n"
    parting = None

    def __init__(self, certificate, tune=None, wrapped=False, lmtp=False, path=None, before=None, address="127.0.0.1", port=0, extensions=("PIPELINING",), greeting=b"220 mx.test ESMTP\r\n"):
        self.sessions, self.wrapped, self.lmtp, self.before, self.extensions, self.greeting = [], wrapped, lmtp, before, extensions, greeting
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate.file, certificate.key)
            self.context.sni_callback = self.note_sni
            if tune:
                tune(self.context)
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
            os.chmod(path, 0o666)
            self.listener.listen(20)
        else:
            self.listener = socket.create_server((address, port), backlog=20)
            self.port = self.listener.getsockname()[1]
        self.sni = []
        threading.Thread(target=self.serve, daemon=True).start()

    def note_sni(self, connection, name, context):
        self.sni.append(name)

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def close(self):
        self.listener.close()

    def talk(self, connection):
        session = {"lines": [], "clear": [], "tls": None, "resumed": None, "peer": None, "mails": 0, "from": [], "text": ""}
        self.sessions.append(session)
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
            stack.callback(lambda: connection.close())
            if self.wrapped:
                connection = self.secure(connection, session)
            connection.sendall(self.greeting)
            lines = connection.makefile("rb")
            recipients, content = 0, False
            while True:
                raw = lines.readline()
                if not raw:
                    return
                line = raw.decode(errors="replace").rstrip("\r\n")
                if content:
                    if line != ".":
                        session["text"] += line + "\n"
                        continue
                    content = False
                    session["mails"] += 1
                    for _ in range(recipients if self.lmtp else 1):
                        connection.sendall(b"250 2.0.0 Ok: taken\r\n")
                    continue
                word = line.split(" ")[0].upper()
                session["lines"].append(word)
                if not session["tls"]:
                    session["clear"].append(word)
                if word in ("EHLO", "LHLO"):
                    offers = list(self.extensions) + (["STARTTLS"] if (self.context or self.before) and not session["tls"] else [])
                    names = ["mx.test"] + offers
                    connection.sendall("".join("250%s%s\r\n" % ("-" if i + 1 < len(names) else " ", n) for i, n in enumerate(names)).encode())
                elif word == "STARTTLS":
                    connection.sendall(self.ready)
                    if self.before:
                        self.before(connection)
                        return
                    connection = self.secure(connection, session)
                    lines = connection.makefile("rb")
                elif word == "MAIL":
                    recipients = 0
                    session["from"].append(line)
                    connection.sendall(b"250 2.1.0 Ok\r\n")
                elif word == "RCPT":
                    recipients += 1
                    connection.sendall(b"250 2.1.5 Ok\r\n")
                elif word == "DATA":
                    content = True
                    connection.sendall(b"354 go\r\n")
                elif word == "QUIT":
                    connection.sendall(b"221 2.0.0 Bye\r\n")
                    if self.parting:
                        session["parting"] = self.parting(connection)
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
                    return
                else:
                    connection.sendall(b"250 2.0.0 Ok\r\n")

    def secure(self, connection, session):
        try:
            connection = self.context.wrap_socket(connection, server_side=True)
        except OSError as e:
            session["failed"] = str(e)
            raise
        session["tls"], session["resumed"], session["peer"] = connection.version(), connection.session_reused, connection.getpeercert(True)
        return connection
