"""Dialogues of our own making: (name, reason, service, lines as the client sends them; CRLF is added). The services are dialogues.test's."""
M, R, D = "MAIL FROM:<a@b.test>", "RCPT TO:<known@mx.test>", "DATA"
STATES = {"start": [], "helo": ["HELO c.test"], "ehlo": ["EHLO c.test"], "mail": ["EHLO c.test", M], "rcpt": ["EHLO c.test", M, R], "refused": ["EHLO c.test", M, "RCPT TO:<x@far.test>"]}


def commands_in_states():
    commands = ["HELO", "HELO d.test", "EHLO", "EHLO d.test", M, R, "DATA", "DATA x", "BDAT 0", "BDAT 0 LAST", "BDAT", "BDAT x", "BDAT -1", "BDAT 1 2 3", "RSET", "RSET x", "NOOP", "NOOP x y", "VRFY", "VRFY known@mx.test",
                "VRFY <known@mx.test>", "VRFY nobody@mx.test", "EXPN x", "HELP", "ETRN", "ETRN mx.test", "STARTTLS", "STARTTLS x", "AUTH", "AUTH PLAIN", "XCLIENT NAME=x", "XFORWARD NAME=x", "QUIT", "QUIT x", "", " ", "FOO", "MAIL", "RCPT",
                "mail from:<a@b.test>", "TURN", "SEND FROM:<a@b.test>", "DATA:", "RSET;"]
    for state, before in STATES.items():
        for command in commands:
            yield "%s in %s" % (command, state), "a command in a state", "plain", before + [command, "NOOP"]


def paths():
    forms = ["<>", "", "a@b.test", "<a@b.test", "a@b.test>", "<<a@b.test>>", "< a@b.test >", "<a@b.test> ", " <a@b.test>", "<a b@c.test>", "<\"a b\"@c.test>", "<\"a\\\"b\"@c.test>", "<\"\"@c.test>", "<a@>", "<@b.test>", "<a>", "<a@b>", "<a@b.>", "<a@.b>", "<a@b..c>",
             "<a@b_c.test>", "<a@-b.test>", "<a@b-.test>", "<a@[1.2.3.4]>", "<a@[1.2.3]>", "<a@[IPv6:::1]>", "<a@[IPv6:x]>", "<a@[]>", "<a@1.2.3.4>", "<@x.test:a@b.test>", "<@x.test,@y.test:a@b.test>", "<x.test!a>", "<a%c.test@b.test>",
             "<a@b@c.test>", "<a..b@c.test>", "<.a@c.test>", "<a.@c.test>", "<a,b@c.test>", "<a;b@c.test>", "<a:b@c.test>", "<(x)a@c.test>", "<a(x)@c.test>", "<a@c.test(x)>", "Name <a@c.test>", "<a@c.test> x", "<a\tb@c.test>", "<a\\@b@c.test>",
             "<caf\xc3\xa9@c.test>", "<a@caf\xc3\xa9.test>", "<caf\xe9@c.test>", "<" + "x" * 64 + "@c.test>", "<" + "x" * 65 + "@c.test>", "<" + "x" * 300 + "@c.test>", "<a@" + "x" * 64 + ".test>", "<a@" + "x." * 130 + "test>", "<*@c.test>", "<-a@c.test>",
             "<a+b@c.test>", "<|cat@c.test>", "<\"|cat\"@c.test>", "</etc/x@c.test>", "<postmaster>", "<Postmaster>", "<known@MX.test>", "<KNOWN@mx.test>", "<\"known\"@mx.test>", "<known+x@mx.test>", "<nobody@mx.test>", "<x@vm.test>", "<v@vm.test>", "<x@relay.test>",
             "<x@far.test>", "<x@sub.mx.test>", "<known%far.test@mx.test>", "<far.test!x@mx.test>", "<@mx.test:x@far.test>", "<alias@va.test>", "<x@va.test>", "<known@[127.0.0.1]>", "<known@localhost>", "<known@mx.test.>"]
    for service in ("plain", "strict"):
        for form in forms:
            yield "MAIL FROM:%s at %s" % (form, service), "a sender", service, ["EHLO c.test", "MAIL FROM:" + form, "RCPT TO:<known@mx.test>"]
            yield "RCPT TO:%s at %s" % (form, service), "a recipient", service, ["EHLO c.test", M, "RCPT TO:" + form]
    for colon in ("MAIL FROM <a@b.test>", "MAIL FROM: <a@b.test>", "MAIL  FROM:<a@b.test>", "MAIL FROM :<a@b.test>", "MAIL TO:<a@b.test>", "MAIL <a@b.test>", "MAIL FROM:", "MAIL FROM", "MAIL FROM:<a@b.test>SIZE=1", "MAIL\tFROM:<a@b.test>", "mAiL fRoM:<a@b.test>"):
        yield colon, "how MAIL is written", "plain", ["EHLO c.test", colon, "NOOP"]


def options():
    for option in ("SIZE", "SIZE=", "SIZE=1", "SIZE=x", "SIZE=-1", "SIZE=1 SIZE=2", "SIZE=10240000", "SIZE=10240001", "SIZE=99999999999999999999", "size=5", "BODY=7BIT", "BODY=8BITMIME", "BODY=BINARYMIME", "BODY=x", "BODY", "BODY=8bitmime BODY=7bit",
                   "SMTPUTF8", "SMTPUTF8=x", "RET=FULL", "RET=HDRS", "RET=x", "RET=FULL RET=HDRS", "ENVID=x", "ENVID=", "ENVID=a+20b", "ENVID=a+2", "ENVID=" + "x" * 101, "ENVID=a ENVID=b", "AUTH=<>", "AUTH=a+40b", "AUTH=x AUTH=y", "XVERP", "XVERP=+=", "XVERP=xyz", "FOO", "FOO=x", "=x",
                   "NOTIFY=NEVER", "REQUIRETLS"):
        yield "MAIL " + option, "an option", "plain", ["EHLO c.test", M + " " + option, R]
        yield "MAIL %s after HELO" % option, "an option", "plain", ["HELO c.test", M + " " + option, R]
    for option in ("NOTIFY=NEVER", "NOTIFY=SUCCESS,FAILURE,DELAY", "NOTIFY=NEVER,SUCCESS", "NOTIFY=x", "NOTIFY=", "NOTIFY=success", "NOTIFY=FAILURE NOTIFY=DELAY", "ORCPT=rfc822;a@b", "ORCPT=a@b", "ORCPT=rfc822;", "ORCPT=;x", "ORCPT=rfc822;a+40b", "ORCPT=rfc822;a+4",
                   "ORCPT=utf-8;a", "ORCPT=rfc822;a ORCPT=rfc822;b", "SIZE=1", "FOO"):
        yield "RCPT " + option, "an option", "plain", ["EHLO c.test", M, R + " " + option]


def contents():
    for name, lines in {"dots": ["Subject: x", "", "..", "..a", "."], "no header": ["hello", "."], "empty": ["."], "dot and blank": [". ", "x", "."], "8 bits": ["Subject: \xe9", "", "\xe9", "."]}.items():
        yield "DATA " + name, "content", "plain", ["EHLO c.test", M, R, "DATA", "\r\n".join(lines), "NOOP"]
    for name, lines in {"without recipients": [M, "DATA"], "all refused": [M, "RCPT TO:<x@far.test>", "DATA"], "one of two refused": [M, "RCPT TO:<x@far.test>", R, "DATA", "x\r\n."], "two messages": [M, R, "DATA", "x\r\n.", M, R, "DATA", "y\r\n."]}.items():
        yield "DATA " + name, "recipients", "plain", ["EHLO c.test"] + lines
    for name, lines in {"last": ["BDAT 5 LAST\r\nhello"], "two": ["BDAT 5\r\nhello", "BDAT 5 LAST\r\nhello"], "lower case": ["bdat 5 last\r\nhello"], "nothing last": ["BDAT 5\r\nhello", "BDAT 0 LAST"], "then DATA": ["BDAT 5\r\nhello", "DATA"], "then MAIL": ["BDAT 5\r\nhello", M],
                        "then RCPT": ["BDAT 5\r\nhello", R], "then RSET": ["BDAT 5\r\nhello", "RSET", "BDAT 5 LAST\r\nhello"], "odd word": ["BDAT 5 FIRST\r\nhello"], "huge": ["BDAT 99999999999"]}.items():
        yield "BDAT " + name, "chunks", "plain", ["EHLO c.test", M, R] + lines


def rules():
    for client in ("r1", "r2", "r3", "r4"):
        for who in ("a@b.test", "ok@list.test", "no@list.test", "later@list.test", "code@list.test", "warn@list.test", "hold@list.test", "redirect@list.test", "filter@list.test", "discard@list.test", "permit@list.test", "defer@list.test", "bcc@list.test", "prepend@list.test", "info@list.test", "x@sub.list.test", "dunno@list.test", "x@nx", "bare", ""):
            yield "sender %s at %s" % (who, client), "rules", client, ["EHLO c.test", "MAIL FROM:<%s>" % who, R, "DATA", "Subject: x\r\n\r\nx\r\n."]
        for helo in ("c.test", "no.helo.test", "sub.no.helo.test", "c", "[127.0.0.1]", "[x]", "later.helo.test"):
            yield "helo %s at %s" % (helo, client), "rules", client, ["HELO " + helo, M, R]


def dialogues():
    for maker in (commands_in_states, paths, options, contents, rules):
        yield from maker()
