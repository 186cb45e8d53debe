"""Which parameters the programs read: every param::NAME in a file outside lib/conf, and what follows from it.

    parameters_read.py --set      writes the .implemented flags of lib/conf/params/*.h by what is read now
    parameters_read.py --list     prints the numbers and the names of those that are to be implemented

A parameter counts as read when
  - a file of lib/ (but lib/conf), of a daemon or of a command uses param::NAME;
  - it stands in the default of one that is read (default_destination_recipient_limit);
  - it is a transport's member of a family that is read (local_destination_recipient_limit);
  - it is lmtp_X and smtp/, which serves both protocols, reads smtp_X;
  - lib/conf itself gives it its meaning (CONF below).
NOT_YET holds those that are read and do not do all they say: they stay unimplemented.
"""
import os, re, sys

ROOT = os.environ.get("SOURCE_DIR") or os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
CONF = {"compatibility_level", "config_directory", "mydomain", "mynetworks_style", "process_id", "process_name", "service_name", "stress",
        "smtpd_restriction_classes", "mail_release_date", "posthorn_version", "inet_protocols", "known_tcp_ports"}
NOT_YET = {"smtp_send_dummy_mail_auth", "lmtp_send_dummy_mail_auth",
           # AUTH is not offered yet: what asks whether it may be, and which rules hold with it, changes nothing.
           "smtpd_sasl_auth_enable", "smtpd_tls_auth_only",
           # Nothing sends probes of addresses yet, whose way these would choose.
           "address_verify_default_transport", "address_verify_local_transport", "address_verify_relay_transport", "address_verify_relayhost",
           "address_verify_sender_dependent_default_transport_maps", "address_verify_sender_dependent_relayhost_maps", "address_verify_transport_maps",
           "address_verify_virtual_transport"}

DECLARATION = re.compile(r'^inline constexpr conf::(\w+) (\w+)\{\{(.*)\}\};$')


def declarations():
    """(file, line number, kind, identifier, name, text of the line) of each."""
    folder = os.path.join(ROOT, "lib/conf/params")
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        for number, line in enumerate(open(path).read().split("\n")):
            found = DECLARATION.match(line)
            if found:
                yield path, number, found.group(1), found.group(2), re.search(r'\.name = "([^"]*)"', line).group(1), line


def sources():
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [d for d in folders if d not in ("build", ".git", "tests")]
        inside = os.path.relpath(folder, ROOT).split(os.sep)
        if inside[:2] == ["lib", "conf"]:
            folders[:] = []
            continue
        for name in files:
            if name.endswith((".h", ".cc")):
                yield os.path.join(folder, name)


def read_identifiers():
    """The identifiers behind param::, also those that a macro of the file completes (param::lmtp_##name), and those that smtp/ reads."""
    everywhere, in_smtp = set(), set()
    for path in sources():
        text = open(path, errors="replace").read().replace("\\\n", " ")
        names = set(re.findall(r"\bparam::(\w+)\b(?!##)", text))
        for macro, argument, body in re.findall(r"^#define (\w+)\((\w+)\)(.*)$", text, re.M):
            used = re.findall(r"\b" + macro + r"\((\w+)\)", text)
            for prefix in re.findall(r"param::(\w*)##" + argument + r"\b", body):
                names |= {prefix + name for name in used}
        everywhere |= names
        if os.path.relpath(path, ROOT).startswith("smtp" + os.sep):
            in_smtp |= names
    return everywhere, in_smtp


def read_names():
    known = list(declarations())
    everywhere, in_smtp = read_identifiers()
    fallback = {name: re.search(r'\.fallback = "((?:[^"\\]|\\.)*)"', line).group(1) for _, _, _, _, name, line in known}
    read = {name for _, _, _, identifier, name, _ in known if identifier in everywhere} | (CONF & set(fallback))
    for _, _, _, _, name, _ in known:
        if name.startswith("lmtp_") and "smtp_" + name[5:] in in_smtp:
            read.add(name)
    # A declared member of a family that is read: local_destination_recipient_limit.
    for family in [name for name in read if name.startswith("transport_")]:
        read |= {name for name in fallback if name.endswith(family[9:]) and name[:-len(family[9:])] in ("local",)}
    todo = list(read)
    while todo:
        for used in re.findall(r"\$[({]?\s*(\w+)", fallback[todo.pop()]):
            if used in fallback and used not in read:
                read.add(used)
                todo.append(used)
    return read


def set_flags():
    read = read_names() - NOT_YET
    lines = {}
    for path, number, kind, identifier, name, line in declarations():
        text = lines.setdefault(path, open(path).read().split("\n"))
        bare = line.replace(", .implemented = true", "")
        if name in read:
            # Designated initializers keep the order of the fields: implemented stands behind max (or what is before it).
            place = max(bare.find(field) for field in (".fallback = ", ".min = ", ".max = "))
            end = re.compile(r'"(?:[^"\\]|\\.)*"|[^,}]+').match(bare, bare.index("= ", place) + 2).end()
            bare = bare[:end] + ", .implemented = true" + bare[end:]
        text[number] = bare
    for path, text in lines.items():
        open(path, "w").write("\n".join(text))


def without_effect():
    """Removed in Postfix, or passed over there: known by name, nothing to implement."""
    checks = open(os.path.join(ROOT, "lib/conf/check.cc")).read()
    passed_over = re.search(r"> ignored\{(.*?)\};", checks, re.S).group(1)
    return {name for _, _, _, _, name, line in declarations() if '"has been removed' in line} | set(re.findall(r'"(\w+)"', passed_over))


def implemented_names():
    return {name for _, _, _, _, name, line in declarations() if ".implemented = true" in line}


if __name__ == "__main__":
    if sys.argv[1:] == ["--set"]:
        set_flags()
    known = [name for _, _, _, _, name, _ in declarations()]
    marked = implemented_names()
    none = without_effect() - marked
    print(f"{len(marked)} of {len(known)} parameters are implemented, {len(none)} more have no effect in Postfix either")
    if sys.argv[1:] == ["--list"]:
        print("\n".join(name for name in known if name not in marked | none))
