"""Messages of our own making, each with its reason: (name, reason, bytes with LF line ends)."""


def mime(subtype, parts, boundary="b1", head="", preamble="", epilogue="", close=True):
    text = "MIME-Version: 1.0\nContent-Type: multipart/%s; boundary=\"%s\"\n%s\n%s" % (subtype, boundary, head, preamble)
    for part in parts:
        text += "--%s\n%s\n" % (boundary, part)
    return text + ("--%s--\n" % boundary if close else "") + epilogue


def headers():
    """Header fields as they should not be, and as they may be."""
    odd = {
        "blank before colon": "Subject : x", "tab before colon": "Subject\t: x", "no blank behind colon": "Subject:x", "empty": "Subject:",
        "blanks only": "Subject:   ", "folded": "Subject: a\n b\n\tc", "folded at once": "Subject:\n x", "fold of blanks": "Subject: a\n  \n b",
        "lower case": "subject: x\nFROM: a@b.test", "odd name": "X-!#$%&'*+-^_`|~: y", "name with 8 bits": "X-\xe9: y", "no name": ": x",
        "name with blank": "Sub ject: x", "twice": "Subject: a\nSubject: b", "8 bits": "Subject: caf\xe9", "UTF-8": "Subject: caf\xc3\xa9",
        "controls": "Subject: a\x01b\x7fc", "encoded word": "Subject: =?utf-8?q?caf=C3=A9?=", "long": "Subject: " + "x" * 900, "longer": "Subject: " + "word " * 600,
        "very long": "X-Long: " + "y" * 5000, "many folds": "X-Folds: a" + "\n b" * 200, "return path": "Return-Path: <r@p.test>", "delivered to": "Delivered-To: x@y.test",
        "bcc": "Bcc: hidden@b.test", "empty bcc": "Bcc:", "content length": "Content-Length: 12", "mbox status": "Status: RO\nX-Status: A",
        "resent": "Resent-From: r@b.test\nResent-To: s@b.test", "resent alone": "Resent-Date: x", "message id": "Message-Id: <a@b>", "odd message id": "Message-ID: a b <c",
        "empty message id": "Message-Id:", "date": "Date: Tue, 1 Dec 2026 10:00:00 +0000", "bad date": "Date: yesterday", "no mime version": "Content-Type: text/plain",
        "errors to": "Errors-To: e@b.test", "receipt": "Return-Receipt-To: r@b.test", "auto": "Auto-Submitted: auto-replied\nPrecedence: bulk", "received": "Received: from a by b; x\nReceived: (q)",
        "from of mbox": ">From x", "angle": "<x>: y", "digits": "123: y", "tab for blank": "To:\ta@b.test", "sender": "Sender: s@b.test\nReply-To: a, b@c.test",
        "addresses": "To: a@b.test (c), \"q p\"@d.test,\n e@f.test", "group": "To: g: a@b.test, c@d.test;", "empty group": "To: undisclosed-recipients:;", "local": "Cc: joe, ann@here",
        "quoted": "From: \"a, b\" <x@y.test>", "comment": "From: x@y.test (a (b) c)", "many addresses": "To: " + ", ".join("user%d@example.test" % i for i in range(60)),
    }
    for name, text in odd.items():
        yield "header " + name, "one header field", text + "\n\nbody\n"


def structures():
    """Where header and body begin and end."""
    yield "empty", "nothing at all", ""
    yield "one empty line", "a body without a header", "\n"
    yield "only header", "no empty line", "Subject: x\n"
    yield "only body", "a first line that is no header", "hello there\nsecond\n"
    yield "body first", "an empty line, then what looks like a header", "\nSubject: x\n"
    yield "text behind header", "no empty line before the body", "Subject: x\nno header this\nTo: a@b.test\n"
    yield "blank line of blanks", "a line of blanks where the empty one should be", "Subject: x\n \nbody\n"
    yield "leading fold", "a folded line that folds nothing", " folded\nSubject: x\n\nbody\n"
    yield "mbox line", "From of an mbox", "From a@b.test Tue Dec  1 10:00:00 2026\nSubject: x\n\nFrom here\n>From there\n"
    yield "many headers", "a thousand fields", "".join("X-%d: y\n" % i for i in range(1000)) + "\nbody\n"
    yield "empty body", "header, empty line, end", "Subject: x\n\n"
    yield "empty lines", "a body of empty lines", "Subject: x\n\n\n\n\n"


def bodies():
    head = "Subject: body\n\n"
    for name, text in {
        "dots": ".\n..\n...\n.a\na.\n", "leading dot at end": "x\n.", "8 bits": "caf\xe9\n", "UTF-8": "caf\xc3\xa9 \xe2\x82\xac\n", "controls": "a\x01b\x0cc\x7fd\n",
        "998": "x" * 998 + "\n", "999": "x" * 999 + "\n", "2048": "x" * 2048 + "\n", "2049": "x" * 2049 + "\n", "100k": "x" * 100000 + "\n", "tabs": "\ta\t \n",
        "trailing blanks": "a  \nb\t\n", "from": "From x\nFrom: y\n", "looks like a header": "Subject: y\n\nTo: z\n", "dashes": "--\n-- \n--b1\n--b1--\n", "equals": "a=\n=20\n=XX\n",
        "64k lines": "line\n" * 5000, "rot13": "Gurer vf n grfg\n" * 50, "uuencode": "begin 644 x\n#0V%T\n`\nend\n",
    }.items():
        yield "body " + name, "one kind of body", head + text


def parts():
    text, latin, utf8 = "Content-Type: text/plain\n\nhello\n", "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\ncaf\xe9\n", "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\ncaf\xc3\xa9\n"
    message = "Content-Type: message/rfc822\n\nSubject: inner\nTo: a@b.test\n\ninner body\n"
    yield "mime plain", "a labelled text", "MIME-Version: 1.0\n" + text
    yield "mime 8bit", "a labelled text of 8 bits", "MIME-Version: 1.0\n" + latin
    yield "mime 8bit long", "8 bits in long lines", "MIME-Version: 1.0\n" + latin + "\xe9" * 300 + "\n" + "=\xe9 \n" * 3
    for n in (70, 71, 72, 73, 74, 75, 76, 77):
        yield "mime 8bit wide %d" % n, "where a converted line is broken", "MIME-Version: 1.0\n" + latin + "x" * n + "\xe9\n" + "x" * n + "y\n" + "\xe9" + "x" * (n - 1) + " \n" + "x y" * n + "\n"
    yield "mime 8bit unlabelled", "8 bits and no word of it", "MIME-Version: 1.0\nContent-Type: text/plain\n\ncaf\xe9\n"
    yield "mime qp", "quoted-printable already", "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\ncaf=E9=\n\n"
    yield "mime base64", "base64", "MIME-Version: 1.0\nContent-Type: image/x\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n"
    yield "mime binary", "binary, which SMTP does not carry", "MIME-Version: 1.0\nContent-Type: application/x\nContent-Transfer-Encoding: binary\n\n\xff\xfe\n"
    yield "mime odd encoding", "an encoding that nobody knows", "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: rot13\n\ncaf\xe9\n"
    for subtype in ("mixed", "alternative", "digest", "related", "report", "signed", "encrypted", "x-odd"):
        yield "multipart " + subtype, "two parts, one of 8 bits", mime(subtype, [text, latin])
    yield "multipart 8bit label", "the whole labelled as well", mime("mixed", [text, latin], head="Content-Transfer-Encoding: 8bit\n")
    yield "multipart qp label", "a label that a multipart may not have", mime("mixed", [text, latin], head="Content-Transfer-Encoding: quoted-printable\n")
    yield "preamble and epilogue", "8 bits before and behind the parts", mime("mixed", [text], preamble="caf\xe9\n", epilogue="caf\xe9\n")
    yield "unterminated", "no closing boundary", mime("mixed", [text, latin], close=False)
    yield "no parts", "a multipart without a part", mime("mixed", [])
    yield "empty part", "a part of nothing", mime("mixed", ["", text])
    yield "part without header", "an empty line begins the part", mime("mixed", ["\nplain\n", latin])
    yield "nested", "three levels", mime("mixed", [text, mime("alternative", [latin, mime("related", [utf8], "b3")], "b2")])
    yield "prefix boundaries", "one boundary is the beginning of another", mime("mixed", [mime("alternative", [latin], "b11"), text], "b1")
    yield "same boundary", "the inner boundary is the outer one", mime("mixed", [mime("alternative", [latin], "b1"), text], "b1")
    yield "boundary with blanks", "blanks behind a boundary line", mime("mixed", [text, latin]).replace("--b1\n", "--b1 \t\n")
    yield "attached message", "message/rfc822", mime("mixed", [text, message])
    yield "attached 8bit", "a message of 8 bits within", mime("mixed", [message.replace("inner body", "caf\xe9")])
    yield "attached header 8bit", "8 bits in the header within", mime("mixed", [message.replace("inner\n", "caf\xc3\xa9\n")])
    yield "attached partial", "message/partial", "MIME-Version: 1.0\nContent-Type: message/partial; id=x; number=1\n\ncaf\xe9\n"
    yield "attached delivery status", "a report", mime("report", [text, "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b\n"])
    yield "attached digest", "parts that are messages without a word", mime("digest", ["\nSubject: a\n\ncaf\xe9\n", "\nSubject: b\n\nx\n"])
    for name, value in {"unquoted": "multipart/mixed; boundary=b1", "comment": "multipart/mixed (c); boundary=b1 (d)", "folded": "multipart/mixed;\n boundary=b1", "upper case": "MULTIPART/MIXED; BOUNDARY=b1",
                        "two boundaries": "multipart/mixed; boundary=b1; boundary=b2", "no boundary": "multipart/mixed", "empty boundary": "multipart/mixed; boundary=\"\"", "escaped": "multipart/mixed; boundary=\"b\\1\"",
                        "no semicolon": "multipart/mixed boundary=b1", "two semicolons": "multipart/mixed;; boundary=b1", "no subtype": "multipart; boundary=b1", "spaces around =": "multipart/mixed; boundary = b1"}.items():
        yield "content type " + name, "a way to write it", "MIME-Version: 1.0\nContent-Type: %s\n\n--b1\n%s--b1--\n" % (value, latin)
    yield "two content types", "one of them counts", "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\n" + latin + "--b1--\n"
    yield "two encodings", "one of them counts", "MIME-Version: 1.0\nContent-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: 8bit\n\ncaf\xe9\n"
    yield "deep", "twenty levels", "".join("Content-Type: multipart/mixed; boundary=x%02d\n\n--x%02d\n" % (i, i) for i in range(20)) + latin


def messages():
    for maker in (headers, structures, bodies, parts):
        for name, reason, text in maker():
            yield name, reason, text.encode("latin-1")
