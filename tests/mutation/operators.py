#!/usr/bin/env python3
"""Changes one operator at a time in a module and says which changes its unit test does not notice. README.md has the use."""
import argparse, collections, json, os, random, re, shlex, shutil, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("BUILD_DIR", os.path.join(SOURCE, "build/debug"))
# clang-format puts spaces around operators and none inside template<>: a space on both sides tells a comparison from a bracket.
CHANGES = [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" == ", " != "), (" != ", " == "),
           (" && ", " || "), (" || ", " && "), (" + 1", " + 2"), (" - 1", " - 2")]
Point = collections.namedtuple("Point", "file start old new line function text")


def test_of(module):
    """The unit test that belongs to a module: the one with the folder's name (tests/CMakeLists.txt)."""
    return os.path.basename(module.rstrip("/")) + "_test"


def blanked(text):
    """The text with comments, strings, characters and preprocessor lines made blank, every other byte where it was."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^()\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z_])\'(?:\\.|[^\'\\\n])*\''
                       r'|^[ \t]*#(?:\\\n|[^\n])*', re.S | re.M)
    return token.sub(lambda match: re.sub(r"[^\n]", "\x00", match[0]), text)


def points_of(file):
    text = open(os.path.join(SOURCE, file), encoding="utf-8").read()
    code = blanked(text)
    lines = text.split("\n")
    found = []
    for old, new in CHANGES:
        pattern = re.escape(old) + (r"(?![0-9.'a-zA-Z_])" if old[-1] == "1" else "")
        for match in re.finditer(r"(?=" + pattern + ")", code):
            line = code.count("\n", 0, match.start())
            if "operator" in code.split("\n")[line] or " && ..." in lines[line]:
                continue
            function = next((lines[i].strip() for i in range(line, -1, -1)
                             if re.match(r"[A-Za-z].*\(", lines[i]) and not lines[i].startswith("namespace")), "")
            name = re.search(r"([\w:~]+)\s*\(", function)
            found.append(Point(file, match.start(), old, new, line + 1, name[1] if name else "-", lines[line].strip()))
    return sorted(found, key=lambda point: point.start)


def key(point):
    return (point.file, point.function, point.old.strip() + " -> " + point.new.strip(), point.text)


def known():
    """Survivors with their reason: file, function, change, line's text, reason."""
    rows = [row.rstrip("\n").split("\t") for row in open(os.path.join(HERE, "lived.tsv"), encoding="utf-8")]
    return {tuple(row[:4]): row[4] for row in rows if len(row) == 5 and not row[0].startswith("#")}


class Scratch:
    """A copy of the sources; objects of changed files stand before the archives when the test is linked."""

    def __init__(self, directory, test, seconds):
        self.directory, self.test, self.seconds = directory, test, seconds
        skip = shutil.ignore_patterns("build", ".git", "corpus")
        shutil.copytree(SOURCE, directory + "/source", ignore=skip, symlinks=True)
        self.commands = {entry["output"] if "output" in entry else re.search(r" -o (\S+)", entry["command"])[1]: entry
                         for entry in json.load(open(BUILD + "/compile_commands.json"))}
        made = self.ninja("commands", test).strip().split("\n")
        self.link = next(line for line in reversed(made) if f"-o tests/{test} " in line)
        self.objects = {word for line in made for word in re.findall(r" -o (\S+\.o)", line)}
        self.deps = None

    def ninja(self, *words):
        return subprocess.run(["ninja", "-C", BUILD, "-t", *words], capture_output=True, text=True, check=True).stdout

    def users(self, file):
        """The objects that a change of this file goes into: its own, or for a header those of all that include it."""
        if file.endswith(".cc"):
            return [o for o in self.objects if self.commands[o]["file"] == os.path.join(SOURCE, file)]
        if self.deps is None:
            self.deps = collections.defaultdict(set)
            for line in self.ninja("deps").split("\n"):
                if line and not line.startswith(" "):
                    output = line.split(":")[0]
                else:
                    self.deps[os.path.realpath(os.path.join(BUILD, line.strip()))].add(output) if line else None
        return sorted(self.deps[os.path.join(SOURCE, file)] & self.objects)

    def outcome(self, point):
        copy = os.path.join(self.directory, "source", point.file)
        whole = open(copy, encoding="utf-8").read()
        try:
            open(copy, "w", encoding="utf-8").write(
                whole[:point.start] + point.new + whole[point.start + len(point.old):])
            return self.build_and_run(point)
        finally:
            open(copy, "w", encoding="utf-8").write(whole)

    def build_and_run(self, point):
        changed, link = [], self.link
        for number, output in enumerate(self.users(point.file)):
            words = shlex.split(self.commands[output]["command"])
            words = [re.sub(re.escape(SOURCE) + r"/(?!build/)", self.directory + "/source/", word) for word in words]
            words = [word for word in words if word != "ccache"]
            words[words.index("-o") + 1] = mine = f"{self.directory}/{number}.o"
            if subprocess.run([*words, "-O0", "-g0", "-w"], cwd=BUILD, capture_output=True).returncode:
                return "does not compile"
            if f" {output} " in link:
                link = link.replace(f" {output} ", f" {mine} ")
            else:
                changed.append(mine)
        binary = f"{self.directory}/{self.test}"
        link = link.replace(f" -o tests/{self.test} ", f" -o {binary} {' '.join(changed)} ")
        linked = subprocess.run(link, shell=True, cwd=BUILD, capture_output=True, text=True)
        if linked.returncode:
            sys.exit("cannot link: " + linked.stderr[-2000:])
        try:
            code = subprocess.run([binary, "--gtest_fail_fast", "--gtest_brief"], cwd=self.directory, timeout=self.seconds,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        except subprocess.TimeoutExpired:
            return "killed"
        return "killed" if code else "lived"


def main():
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("module", help="a folder: lib/queue, smtpd")
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--count", type=int, default=40)
    ask.add_argument("--files", default="", help="only files whose name matches this expression")
    ask.add_argument("--seconds", type=int, default=30, help="a test that runs longer has noticed")
    ask.add_argument("--list", action="store_true", help="print the points only")
    options = ask.parse_args()
    os.nice(10)
    module = options.module.rstrip("/")
    files = sorted(file for file in os.listdir(os.path.join(SOURCE, module)) if file.endswith((".cc", ".h")))
    points = [point for file in files if re.search(options.files, file) for point in points_of(f"{module}/{file}")]
    if options.list:
        for point in points:
            print(f"{point.file}:{point.line}", *key(point)[1:], sep="\t")
        return 0
    sample = random.Random(options.seed).sample(points, min(options.count, len(points)))
    reasons, counts, unexplained = known(), collections.Counter(), 0
    with tempfile.TemporaryDirectory(prefix="operators.") as directory:
        scratch = Scratch(directory, test_of(module), options.seconds)
        for point in sample:
            outcome = scratch.outcome(point)
            reason = reasons.get(key(point)) if outcome == "lived" else None
            counts["listed" if reason else outcome] += 1
            print(f"{outcome}\t{point.file}:{point.line}", *key(point)[1:], *([reason] if reason else []), sep="\t", flush=True)
    print(f"{module}: {len(points)} points, {len(sample)} tried: " + ", ".join(f"{n} {what}" for what, n in counts.items()))
    return min(counts["lived"], 100)


if __name__ == "__main__":
    sys.exit(main())
