#!/usr/bin/env python3
"""What a large queue costs: time to the first delivery, listing, memory, new mail beside old. README.md beside this tells how.

    scale.py --messages 100000 [--binaries DIR] [--queue DIR] [--only start,list,…] [postfix] [posthorn]

The queue (--queue: an empty or a prepared directory, best on a file system of its own) is filled by make_queue when it holds no deferred mail.
All but a thousandth is due in two hours or later. Each figure is one line: system, name, value. Destroys nothing but with --only drain or delete.
"""
import argparse, contextlib, glob, os, re, shutil, subprocess, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import posthorn

STEPS = ("start", "cold", "new", "run", "list", "super", "shape", "active", "drain", "delete")


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--messages", type=int, default=100000)
    p.add_argument("--destinations", type=int, default=50000)
    p.add_argument("--binaries", help="as for tests/lib/posthorn.py: an installation's prefix, or a build's bin")
    p.add_argument("--make-queue", default=os.path.join(posthorn.BUILD, "tests", "make_queue"))
    p.add_argument("--queue", help="default: a new directory in /var/tmp")
    p.add_argument("--only", default=",".join(s for s in STEPS if s not in ("drain", "delete")))
    p.add_argument("systems", nargs="*", default=["posthorn"])
    return p.parse_args()


def daemon(mta, name):
    """The process of this name under this instance's master; 0 when there is none."""
    master = mta.master_pid()
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError):
            with open(path) as f:
                head, tail = f.read().rsplit(")", 1)
            if head.split("(", 1)[1] == name and int(tail.split()[1]) == master:
                return int(path.split("/")[2])
    return 0


def status(pid, field):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(field + r":\s+(\d+)", f.read()).group(1))


def ticks(pid):
    with open("/proc/%d/stat" % pid) as f:
        words = f.read().rsplit(")", 1)[1].split()
    return int(words[11]) + int(words[12])


def wait_idle(pid, seconds=600):
    """Until the process has used no processor for two seconds."""
    end, last, since = time.monotonic() + seconds, -1, time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < 2:
        now = ticks(pid)
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.1)


def timed(*command, **more):
    """Seconds, seconds to the first line, lines, processor seconds and the peak memory (KiB) of a command."""
    begin, first, lines, peak = time.monotonic(), None, 0, 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more) as p:
        def watch():                             # ru_maxrss would count what Python has at the fork
            nonlocal peak
            with contextlib.suppress(OSError, AttributeError):
                while True:
                    time.sleep(0.01)
                    peak = max(peak, status(p.pid, "VmHWM"))
        watcher = posthorn.threading.Thread(target=watch)
        watcher.start()
        for chunk in iter(lambda: p.stdout.read1(1 << 20), b""):
            first = first or time.monotonic() - begin
            lines += chunk.count(b"\n")
        _, code, used = os.wait4(p.pid, 0)
        p.returncode = code
        watcher.join()
    return time.monotonic() - begin, first or 0, lines, used.ru_utime + used.ru_stime, peak


class Measurement:
    def __init__(self, system, args):
        self.system, self.args = system, args
        self.mta = posthorn.Instance(start=False, peer=system == "postfix", binaries=args.binaries and os.path.abspath(args.binaries) if system != "postfix" else None, name="scale")
        self.mta.queue = args.queue
        self.mta.add_main("queue_directory = %s\ndefault_transport = discard\nqueue_run_delay = 1h\nminimal_backoff_time = 1h\nin_flow_delay = 0\n" % args.queue)

    def say(self, name, value):
        print("%-9s %-36s %s" % (self.system, name, value if isinstance(value, int) else "%.2f" % value), flush=True)

    def fill(self):
        folder = os.path.join(self.args.queue, "deferred")
        if any(files for _, _, files in os.walk(folder)):
            return
        owner = posthorn.pwd.getpwnam("postfix")
        for name in ("deferred", "defer"):
            os.makedirs(os.path.join(self.args.queue, name), exist_ok=True)
            os.chown(os.path.join(self.args.queue, name), owner.pw_uid, owner.pw_gid)
        begin = time.monotonic()
        subprocess.run([self.args.make_queue, "--messages", str(self.args.messages), "--destinations", str(self.args.destinations),
                        "--size", "500", "--due-from", "7200", "--due-to", "12000", self.args.queue], check=True, stderr=subprocess.DEVNULL)
        self.say("fill: seconds", time.monotonic() - begin)

    def due(self, number):
        """So many messages more are due now."""
        subprocess.run([self.args.make_queue, "--messages", str(number), "--size", "500", "--seed", str(time.time_ns() % 1000000000), "--due-from", "-100", "--due-to", "-1",
                        self.args.queue], check=True)

    # --- the steps
    def start(self, cold=False):
        self.due(max(10, self.args.messages // 1000))
        if cold:
            subprocess.run(["sync"], check=True)
            with open("/proc/sys/vm/drop_caches", "w") as f:
                f.write("3")
        os.path.exists(self.mta.log_path) and os.unlink(self.mta.log_path)
        begin = time.monotonic()
        self.mta.start()
        self.mta.wait_log("status=sent", seconds=300)
        self.say("start: to first delivery%s, s" % (", cold" if cold else ""), time.monotonic() - begin)
        qmgr = daemon(self.mta, "qmgr")
        wait_idle(qmgr)
        self.say("start: until all files were seen%s, s" % (", cold" if cold else ""), time.monotonic() - begin - 2)
        self.say("start: qmgr cpu, s", ticks(qmgr) / os.sysconf("SC_CLK_TCK"))
        self.say("start: qmgr VmRSS, KiB", status(qmgr, "VmRSS"))
        self.mta.stop()

    def cold(self):
        self.start(cold=True)

    def delivery_times(self, count):
        """Seconds from 250 to the line that says sent, of single new messages."""
        times = []
        for _ in range(count):
            with self.mta.smtp() as s:
                s.ehlo()
                s.mail("new@client.test")
                s.rcpt("new@new.test")
                queue_id = re.search(rb"queued as (\w+)", s.data(b"Subject: new\r\n\r\nnew\r\n")[1]).group(1).decode()
                begin = time.monotonic()
                with open(self.mta.log_path) as log:
                    log.seek(max(0, os.path.getsize(self.mta.log_path) - 4000))
                    seen = ""
                    while not re.search(r"%s: .*status=sent" % queue_id, seen) and time.monotonic() - begin < 300:
                        seen += log.read()
                        time.sleep(0.001)
                times.append(time.monotonic() - begin)
        times.sort()
        return times

    def new(self):
        """New mail while a queue run looks at all of the old."""
        self.mta.start()
        wait_idle(daemon(self.mta, "qmgr"))
        quiet = self.delivery_times(100)
        self.mta.stop()
        self.mta.start()
        qmgr = daemon(self.mta, "qmgr")
        before = ticks(qmgr)
        busy = self.delivery_times(30)
        share = ticks(qmgr) - before
        self.say("new mail: median ms, no scan", 1000 * quiet[len(quiet) // 2])
        self.say("new mail: median ms, first scan", 1000 * busy[len(busy) // 2])
        self.say("new mail: worst ms, first scan", 1000 * busy[-1])
        self.say("new mail: qmgr cpu meanwhile, ticks", share)
        self.mta.stop()

    def run(self):
        """A queue run of which nothing is due: what it asks the file system."""
        self.mta.start()
        qmgr = daemon(self.mta, "qmgr")
        wait_idle(qmgr)
        used, begin = ticks(qmgr), time.monotonic()
        self.mta.command("postkick", "public", "qmgr", "D")
        wait_idle(qmgr)
        self.say("run: s", time.monotonic() - begin - 2)
        self.say("run: qmgr cpu, s", (ticks(qmgr) - used) / os.sysconf("SC_CLK_TCK"))
        out = self.mta.path("strace")
        tracer = subprocess.Popen(["strace", "-f", "-c", "-o", out, "-p", str(qmgr)], stderr=subprocess.DEVNULL)
        posthorn.wait_for("strace", lambda: status(qmgr, "TracerPid"))
        self.mta.command("postkick", "public", "qmgr", "D")
        wait_idle(qmgr)
        tracer.send_signal(2)
        tracer.wait()
        with open(out) as f:
            calls = {m.group(2): int(m.group(1)) for m in re.finditer(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", f.read(), re.M)}
        self.say("run: stat calls", sum(n for name, n in calls.items() if "stat" in name and name != "statfs"))
        self.say("run: system calls", sum(n for name, n in calls.items() if name != "total"))
        self.mta.stop()

    def list(self):
        self.mta.start()
        wait_idle(daemon(self.mta, "qmgr"))
        for option in ("-p", "-j"):
            showq = daemon(self.mta, "showq")
            before = ticks(showq) if showq else 0
            seconds, first, _, cpu, peak = timed(os.path.join(self.mta.sbin, "postqueue"), option, env=self.mta.environment)
            self.say("postqueue %s: first line, s" % option, first)
            self.say("postqueue %s: messages a second" % option, int(self.args.messages / seconds))
            self.say("postqueue %s: cpu a message, us" % option, cpu * 1e6 / self.args.messages)
            self.say("postqueue %s: peak KiB" % option, peak)
            showq = daemon(self.mta, "showq")
            if showq:
                self.say("showq %s: cpu a message, us" % option, (ticks(showq) - before) / os.sysconf("SC_CLK_TCK") * 1e6 / self.args.messages)
                self.say("showq %s: peak KiB" % option, status(showq, "VmHWM"))
        self.mta.stop()

    def super(self):
        for options in (("-s",), ("-h", "ALL", "deferred"), ("-H", "ALL")):
            seconds, _, _, cpu, peak = timed(os.path.join(self.mta.sbin, "postsuper"), *options, env=self.mta.environment)
            self.say("postsuper %s: s" % " ".join(options), seconds)
            self.say("postsuper %s: cpu, s" % " ".join(options), cpu)
            self.say("postsuper %s: peak KiB" % " ".join(options), peak)

    def shape(self):
        seconds, _, _, cpu, peak = timed(os.path.join(self.mta.sbin, "qshape") if self.system != "postfix" else os.path.join(posthorn.PEER, "usr/sbin/qshape"), "deferred", env=self.mta.environment)
        self.say("qshape deferred: s", seconds)
        self.say("qshape deferred: cpu, s", cpu)
        self.say("qshape deferred: peak KiB", peak)

    def active(self):
        """A full active queue: everything is flushed to a server that does not answer."""
        hold = posthorn.threading.Event()
        sink = posthorn.Sink({"GREETING": lambda line: hold.wait(600) and "450 4.3.0 later"})
        self.mta.add_main("default_transport = smtp\nrelayhost = [127.0.0.1]:%d\n" % sink.port)
        self.mta.start()
        qmgr = daemon(self.mta, "qmgr")
        wait_idle(qmgr)
        before = status(qmgr, "VmRSS")
        self.mta.command("postqueue", "-f")
        limit = min(20000 if self.system == "postfix" else 16000, self.args.messages)     # ours keeps a fifth for new mail
        def active():
            return sum(len(files) for _, _, files in os.walk(os.path.join(self.mta.queue, "active")))
        begin = time.monotonic()
        posthorn.wait_for("a full active queue", lambda: active() >= limit, 300)
        self.say("active: s to fill", time.monotonic() - begin)
        wait_idle(qmgr, 20)
        self.say("active: messages", active())
        self.say("active: qmgr VmRSS more, KiB", status(qmgr, "VmRSS") - before)
        self.mta.stop("abort")
        hold.set()
        sink.close()
        self.mta.add_main("default_transport = discard\nrelayhost =\n")
        self.mta.command("postsuper", "-h", "ALL", "active", "incoming", timeout=600)     # back to deferred, with their times
        self.mta.command("postsuper", "-H", "ALL", timeout=600)

    def drain(self):
        """As many messages as there are destinations, all due, one for each: does a message's time grow with their number?"""
        number = self.args.destinations
        subprocess.run([self.args.make_queue, "--messages", str(number), "--size", "500", "--destinations", "1", "--seed", "77", "--each", "1", "--due-from", "-100", "--due-to", "-1", self.args.queue],
                       check=True, stderr=subprocess.DEVNULL)
        os.path.exists(self.mta.log_path) and os.unlink(self.mta.log_path)
        self.mta.start()
        qmgr, peak, done, tenth = 0, 0, 0, 1
        with open(self.mta.log_path) as log:
            while done < number:
                qmgr = qmgr or daemon(self.mta, "qmgr")
                done += log.read().count("status=sent")
                peak = max(peak, status(qmgr, "VmRSS")) if qmgr else 0
                if done * 10 >= number * tenth and qmgr:
                    self.say("drain: qmgr cpu a message, us, at %d" % done, ticks(qmgr) / os.sysconf("SC_CLK_TCK") * 1e6 / done)
                    tenth = done * 10 // number + 1
                time.sleep(0.05)
        self.say("drain: qmgr VmRSS at most, KiB", peak)
        self.mta.stop()

    def delete(self):
        for options in (("-e", "ALL"), ("-r", "ALL")):
            seconds, _, _, cpu, peak = timed(os.path.join(self.mta.sbin, "postsuper"), *options, env=self.mta.environment)
            self.say("postsuper %s: s" % " ".join(options), seconds)
            self.say("postsuper %s: cpu, s" % " ".join(options), cpu)
        for path in glob.glob(os.path.join(self.args.queue, "maildrop", "*")):
            os.rename(path, os.path.join(self.args.queue, "hold", os.path.basename(path)))
        seconds, _, _, cpu, peak = timed(os.path.join(self.mta.sbin, "postsuper"), "-d", "ALL", env=self.mta.environment)
        self.say("postsuper -d ALL: s", seconds)
        self.say("postsuper -d ALL: cpu, s", cpu)
        self.say("postsuper -d ALL: peak KiB", peak)


def main():
    args = arguments()
    posthorn.private_namespace()
    made = None
    if not args.queue:
        made = args.queue = posthorn.tempfile.mkdtemp(prefix="posthorn-scale-", dir="/var/tmp")
        os.chmod(made, 0o755)
    try:
        for system in args.systems:
            m = Measurement(system, args)
            try:
                m.fill()
                for step in args.only.split(","):
                    getattr(m, step)()
            finally:
                with contextlib.suppress(Exception):
                    m.mta.stop("abort")
                shutil.rmtree(m.mta.directory, ignore_errors=True)
    finally:
        if made:
            shutil.rmtree(made, ignore_errors=True)


if __name__ == "__main__":
    main()
