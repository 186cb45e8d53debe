"""The rows of tests/mutation: which test shows what a parameter does.

    parameters.tsv   parameter<TAB>test     found by tests/mutation/parameters: the test passes, and fails when the parameter is ignored
    unseen.tsv       parameter<TAB>reason   implemented, and no test can see it
    missing.txt      one a line             implemented, and no row yet; it only gets shorter

A test is a script ("system/queue.test", below tests/) or a unit test program ("unit/smtpd": tests/unit/smtpd, built as smtpd_test).
It names the parameter whole, in its own text or in the data beside it that it plays."""
import os, re, sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(FOLDER)
sys.path.insert(0, os.path.join(TESTS, "style"))
import parameters_read

DATA = {"unit/smtpd": ["dialogs/smtpd"]}         # what a test plays from elsewhere


def table(name):
    with open(os.path.join(FOLDER, name)) as f:
        return dict(line.rstrip("\n").split("\t", 1) for line in f if "\t" in line and not line.startswith("#"))


def missing():
    with open(os.path.join(FOLDER, "missing.txt")) as f:
        return {line.strip() for line in f if line.strip() and not line.startswith("#")}


def write_table(name, rows):
    path = os.path.join(FOLDER, name)
    with open(path) as f:
        head = [line for line in f if line.startswith("#")]
    with open(path + ".new", "w") as f:
        f.writelines(head + ["%s\t%s\n" % row for row in sorted(rows.items())])
    os.replace(path + ".new", path)


def area_of():
    """parameter -> the file of lib/conf/params that declares it: "smtpd", "qmgr"."""
    return {name: os.path.basename(path)[:-2] for path, _, _, _, name, _ in parameters_read.declarations()}


def set_row(name, parameter, value):
    """Writes one row; None takes it out. The file is read again before: another search may run beside this one."""
    known = table(name)
    known.pop(parameter, None)
    if value:
        known[parameter] = value
    write_table(name, known)


def write_missing(names):
    """The list by area, with numbers."""
    areas, by_area = area_of(), {}
    for name in sorted(names):
        by_area.setdefault(areas[name], []).append(name)
    with open(os.path.join(FOLDER, "missing.txt"), "w") as f:
        f.write("# Implemented parameters that no test is known to need (tests/mutation/rows.py): %d. Give one a test, run tests/mutation/parameters NAME.\n" % len(names))
        for area in sorted(by_area):
            f.write("# %s: %d\n" % (area, len(by_area[area])) + "".join(name + "\n" for name in by_area[area]))


def files_of(test):
    """The files whose text is the test's."""
    found = []
    for place in [test] + DATA.get(test, []):
        path = os.path.join(TESTS, place)
        found += [os.path.join(path, name) for name in os.listdir(path)] if os.path.isdir(path) else [path] if os.path.isfile(path) else []
    return [path for path in sorted(found) if os.path.isfile(path)]


def text_of(test):
    text = ""
    for path in files_of(test):
        with open(path, errors="replace") as f:
            text += f.read() + "\n"
    return text.replace("\\n", "\n")            # "\nname = value" in a string of the test's names it too


def names(text, parameter):
    """Whether a test's text names a parameter; a family by a member: smtp_destination_rate_delay for transport_destination_rate_delay. A test of
    both clients makes lmtp_X of smtp_X."""
    if parameter.startswith("lmtp_") and '"lmtp_" +' in text and names(text, "smtp_" + parameter[5:]):
        return True
    family = parameter.startswith("transport_") and parameter not in ("transport_maps", "transport_retry_time")
    return bool(re.search(r"\b(?!default_)\w+%s\b" % parameter[len("transport"):] if family else r"\b%s\b" % parameter, text))


def all_tests():
    found = []
    for kind in ("unit", "dialogs", "system", "interop"):
        for name in sorted(os.listdir(os.path.join(TESTS, kind))):
            if kind == "unit" or name.endswith(".test"):
                found.append(kind + "/" + name)
    return found
