"""Rows of what our first users described (coverage/seeds-rows.md): one function a row, all run, each with its line in the output.

    @rows.row("C2", "STARTTLS is answered by the standard's line")
    def _(mta): assert ...
    rows.run(mta)                        # fails after the last row, naming all that failed
"""
import re, subprocess, traceback

_rows = []


def row(name, what):
    def note(function):
        _rows.append((name, what, function))
        return function
    return note


def run(*arguments):
    failed = []
    for name, what, function in _rows:
        try:
            function(*arguments)
            print("%-4s ok      %s" % (name, what), flush=True)
        except Exception:                # the other rows still have something to say
            failed.append(name)
            print("%-4s FAILED  %s\n%s" % (name, what, traceback.format_exc()), flush=True)
    assert not failed, "rows that failed: " + " ".join(failed)


class Typed:
    """A person at `openssl s_client`: each line typed when the answer to the one before is there."""
    def __init__(self, port, *options):
        self.run = subprocess.Popen(["openssl", "s_client", "-starttls", "smtp", "-quiet", "-connect", "127.0.0.1:%d" % port] + list(options),
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        while self.say("NOOP") not in ("250 2.0.0 Ok", "closed"):            # some versions print the last line of the EHLO before STARTTLS
            pass

    def say(self, line):
        self.run.stdin.write(line + "\r\n")
        self.run.stdin.flush()
        for answer in self.run.stdout:
            if re.match(r"\d{3} ", answer):
                return answer.strip()
        return "closed"

    def relay(self):
        """The answer to a recipient elsewhere."""
        with self.run:
            for line in ("EHLO c.test", "MAIL FROM:<a@c.test>"):
                assert self.say(line).startswith("250"), line
            answer = self.say("rcpt to:<b@far.test>")        # s_client takes a line with a capital R for a command of its own
            self.say("QUIT")
        return answer
