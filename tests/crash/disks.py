"""File systems in files, for tests that need one of their own: small ones that fill up, and one whose state at an instant can be copied."""
import contextlib, os, shutil, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import skip, wait_for


def _run(*args):
    return subprocess.run(args, capture_output=True, text=True)


def mount_or_skip(*args):
    done = _run("mount", *args)
    if done.returncode != 0:
        skip("this machine does not let us mount: mount %s: %s" % (" ".join(args), (done.stdout + done.stderr).strip()))


def unmount(path):
    """Once nobody uses it any more."""
    wait_for("unmounting " + path, lambda: _run("umount", path).returncode == 0, 30)


class Disk:
    """An ext4 file system at `path` whose image lies on XFS with reflink. cut() is the disk as a power cut leaves it: what the file system
    had written to its device then, and nothing of what was in memory."""

    def __init__(self, megabytes=400):
        for tool in ("mkfs.xfs", "mkfs.ext4"):
            if not shutil.which(tool):
                skip(tool + " is not there")
        shared = os.statvfs("/dev/shm") if os.path.isdir("/dev/shm") else None
        roomy = shared and shared.f_bavail * shared.f_frsize > 2 << 30       # in memory no real disk waits: the test is quicker, not weaker
        self.base = tempfile.mkdtemp(prefix="posthorn-disk-", dir="/dev/shm" if roomy else None)
        self.ground, self.path, self.cuts = (os.path.join(self.base, n) for n in ("ground", "disk", "cut"))
        os.chmod(self.base, 0o755)
        for directory in (self.ground, self.path, self.cuts):
            os.mkdir(directory)
        try:
            self._make(os.path.join(self.base, "xfs.img"), 1600, "mkfs.xfs", "-q", "-m", "reflink=1")
            mount_or_skip("-o", "loop", os.path.join(self.base, "xfs.img"), self.ground)
            self.image, self.copy, self.untouched = (os.path.join(self.ground, n + ".img") for n in ("ext4", "cut", "untouched"))
            self._make(self.image, megabytes, "mkfs.ext4", "-q", "-F")
            mount_or_skip("-o", "loop", self.image, self.path)
            if _run("cp", "--reflink=always", self.image, self.copy).returncode != 0:
                skip("no reflink copies here")
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _make(image, megabytes, *mkfs):
        with open(image, "wb") as f:
            f.truncate(megabytes << 20)
        done = _run(*mkfs, image)
        if done.returncode != 0:
            skip("%s: %s" % (mkfs[0], (done.stdout + done.stderr).strip()))

    def cut(self):
        for image, copy in ((self.image, self.copy), (self.copy, self.untouched)):
            subprocess.run(["cp", "--reflink=always", image, copy], check=True)

    def keep(self):
        """Images for whoever looks for the cause: the last cut's, and that after the mail system ran on it (not mounted any more)."""
        where = tempfile.mkdtemp(prefix="posthorn-lost-", dir="/var/tmp")
        kept = [os.path.join(where, name) for name in ("cut.img", "after.img")]
        for image, path in zip((self.untouched, self.copy), kept):
            subprocess.run(["cp", "--reflink=never", "--sparse=always", image, path], check=True)
        return kept

    def mount_cut(self):
        """The directory where the copy is mounted."""
        done = _run("mount", "-o", "loop", self.copy, self.cuts)
        assert done.returncode == 0, done.stderr
        return self.cuts

    def unmount_cut(self):
        unmount(self.cuts)

    def close(self):
        for directory in (self.cuts, self.path, self.ground):
            with contextlib.suppress(AssertionError):
                if os.path.ismount(directory):
                    unmount(directory)
        if not os.path.ismount(self.ground):
            shutil.rmtree(self.base, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
