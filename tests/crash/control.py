"""The file through which a test steers interposer.cc, while the mail system runs."""
import mmap, os, struct, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import BUILD, skip

LIBRARY = os.path.join(BUILD, "tests", "crash_points.so")
WRITE, RENAME, LINK, UNLINK, MODE, SYNC, TRUNCATE, CREATE, MESSAGE, TIME = (1 << i for i in range(10))
ALL = (1 << 10) - 1
COUNT, KILL, HOLD = 0, -1, -2
ACTION_AT = 32 + 2 * 192 + 4
HEAD = struct.Struct("=32s192s192sIiQQII128s")
COUNTER = struct.Struct("=II24sQ")
COUNTERS = 48


class Control:
    """below: the directory whose files count; log: the file that does not."""

    def __init__(self, path, below, log):
        if not os.access(LIBRARY, os.R_OK):
            skip("crash_points.so is not built")
        self.below, self.log = below.encode(), log.encode()
        with open(path, "wb") as f:
            f.write(bytes(HEAD.size + COUNTERS * COUNTER.size))
        os.chmod(path, 0o666)
        self.path = path
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 0)
        self.set("", 0, COUNT)

    def preload_into(self, mta):
        """Gives it to every process of an instance that is not started yet. sendmail hands no such thing to postdrop: that gets a wrapper."""
        commands = mta.path("commands")
        os.mkdir(commands)
        for name in os.listdir(mta.sbin):
            if name != "postdrop":
                os.symlink(os.path.join(mta.sbin, name), os.path.join(commands, name))
        with open(os.path.join(commands, "postdrop"), "w") as f:
            f.write("#!/bin/sh\nLD_PRELOAD=%s CRASH_CONTROL=%s exec %s/postdrop \"$@\"\n" % (LIBRARY, self.path, mta.sbin))
        os.chmod(os.path.join(commands, "postdrop"), 0o755)
        mta.environment.update(LD_PRELOAD=LIBRARY, CRASH_CONTROL=self.path)          # for master and commands
        mta.add_main("command_directory = %s\nimport_environment = MAIL_CONFIG TZ LANG=C LD_PRELOAD=%s CRASH_CONTROL=%s\n" % (commands, LIBRARY, self.path))

    def set(self, program, at, action, kinds=ALL):
        """The at-th step of the program's processes from now on (0: every one) is its last (KILL), fails with errno `action`, or waits (HOLD)
        until end_hold()."""
        # What steps look at first is written last.
        self.map[:32] = bytes(32)
        self.map[32:HEAD.size] = HEAD.pack(b"", self.below, self.log, kinds, action, at, 0, 0, 0, b"")[32:]
        self.map[:32] = program.encode().ljust(32, b"\0")

    def end_hold(self, error=0):
        """The step that waits is done, or fails with this errno."""
        self.map[ACTION_AT:ACTION_AT + 4] = struct.pack("=i", error)

    def off(self):
        self.set("", 0, COUNT)

    def steps(self):
        return HEAD.unpack(self.map[:HEAD.size])[6]

    def killed(self):
        """The process id of who was killed or waits, or 0; and the step."""
        values = HEAD.unpack(self.map[:HEAD.size])
        return values[7], values[9].split(b"\0")[0].decode(errors="replace")

    def counters(self):
        """Steps of each program since the start of the instance."""
        found = {}
        for i in range(COUNTERS):
            taken, _, name, steps = COUNTER.unpack_from(self.map, HEAD.size + i * COUNTER.size)
            if taken == 2:
                found[name.split(b"\0")[0].decode()] = steps
        return found
