#include "conf/master_cf.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/time.h"
#include "conf/expand.h"
#include "conf/main_cf.h"

namespace conf {
namespace {
constexpr std::size_t file_size_max = 16u << 20;
constexpr std::size_t args_max = 4096;

std::optional<ServiceType> type_of(std::string_view name) {
    if (name == "inet")
        return ServiceType::inet;
    if (name == "unix")
        return ServiceType::unix_stream;
    if (name == "unix-dgram")
        return ServiceType::unix_dgram;
    if (name == "fifo")
        return ServiceType::fifo;
    if (name == "pass")
        return ServiceType::pass;
    return std::nullopt;
}

bool is_flag(std::string_view s) { return s == "y" || s == "n" || s == "-"; }

bool is_wakeup(std::string_view s) {
    if (s == "-")
        return true;
    if (s.ends_with('?'))
        s.remove_suffix(1);
    auto n = bytes::to_int(s);
    return n && *n >= 0 && *n <= INT32_MAX && bytes::is_digit(s.front());
}

bool is_maxproc(std::string_view s) {
    if (s == "-")
        return true;
    auto n = bytes::to_int(s);
    return n && *n >= 0 && *n <= INT32_MAX && bytes::is_digit(s.front());
}

// Where the brace that a word begins with is closed.
std::size_t brace_end(std::string_view word) {
    int level = 0;
    std::size_t at = 0;
    for (; at < word.size(); ++at) {
        if (word[at] == '{')
            ++level;
        else if (word[at] == '}' && --level == 0)
            break;
    }
    return at;
}

// Words between white space; text within { } is part of its word. An unclosed brace is an Error.
Result<std::vector<std::string>> words(std::string_view text, const std::string& where) {
    std::vector<std::string> out;
    std::size_t at = 0;
    while (at < text.size()) {
        while (at < text.size() && bytes::is_space(text[at]))
            ++at;
        if (at == text.size())
            break;
        std::size_t begin = at;
        int level = 0;
        for (; at < text.size() && (level > 0 || !bytes::is_space(text[at])); ++at) {
            if (text[at] == '{')
                ++level;
            else if (text[at] == '}' && level > 0)
                --level;
        }
        if (level > 0)
            return permanent(
                fmt::format("{}: missing '}}' in \"{}\"", where, bytes::printable(text.substr(begin, 100))));
        if (std::string_view word = text.substr(begin, at - begin);
            word.front() == '{' && brace_end(word) + 1 != word.size())
            return permanent(fmt::format("{}: white space is expected behind '}}' in \"{}\"", where,
                                         bytes::printable(word.substr(0, 100))));
        if (out.size() == args_max)
            return permanent(fmt::format("{}: more than {} words", where, args_max));
        out.emplace_back(text.substr(begin, at - begin));
    }
    return out;
}

std::string without_braces(std::string_view arg) {
    if (arg.size() >= 2 && arg.front() == '{' && arg.back() == '}')
        return std::string(bytes::trim(arg.substr(1, arg.size() - 2)));
    return std::string(arg);
}

// Where the port begins in an inet service name: "host:port", "[v6]:port" or "port".
std::size_t port_offset(std::string_view name) {
    std::size_t colon = name.rfind(':');
    return colon == name.npos ? 0 : colon + 1;
}
}

ServiceType MasterEntry::service_type() const { return type_of(type).value_or(ServiceType::unix_stream); }
bool MasterEntry::is_private() const { return service_type() != ServiceType::inet && private_field != "n"; }
bool MasterEntry::unprivileged() const { return unprivileged_field != "n"; }
bool MasterEntry::chrooted(std::string_view compatibility_level) const {
    if (chroot_field != "-")
        return chroot_field == "y";
    return compare_levels(compatibility_level, "1").value_or(1) < 0;
}
std::chrono::seconds MasterEntry::wakeup() const {
    std::string_view s = wakeup_field;
    if (s.ends_with('?'))
        s.remove_suffix(1);
    return std::chrono::seconds(bytes::to_int(s).value_or(0));
}
bool MasterEntry::wakeup_only_if_used() const { return wakeup_field.ends_with('?'); }
std::optional<int> MasterEntry::maxproc() const {
    if (maxproc_field == "-")
        return std::nullopt;
    return static_cast<int>(bytes::to_int(maxproc_field).value_or(0));
}
std::string MasterEntry::host() const {
    std::size_t at = port_offset(name);
    if (at == 0)
        return "";
    std::string host = name.substr(0, at - 1);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    return host;
}
std::string MasterEntry::port() const { return name.substr(port_offset(name)); }
std::string MasterEntry::socket_path() const { return (is_private() ? "private/" : "public/") + name; }
std::vector<std::string> MasterEntry::argv() const {
    std::vector<std::string> out;
    out.reserve(args.size());
    for (auto& arg : args)
        out.push_back(without_braces(arg));
    return out;
}

Result<MasterEntry> parse_master_line(std::string_view text, const std::string& path, int line) {
    std::string where = fmt::format("{}: line {}", path, line);
    TRY_ASSIGN(std::vector<std::string> fields, words(text, where));
    if (fields.size() < 8)
        return permanent(fmt::format(
            "{}: bad field count: {} of at least 8 (service type private unprivileged chroot wakeup maxproc command)",
            where, fields.size()));
    auto invalid = [&](std::string_view column, std::size_t i, std::string_view right) {
        return permanent(fmt::format("{}: invalid {} field \"{}\" in \"{}\": {}", where, column,
                                     bytes::printable(fields[i]), bytes::printable(text.substr(0, 100)), right));
    };
    auto type = type_of(fields[1]);
    if (!type)
        return invalid("type", 1, "inet, unix, unix-dgram, fifo or pass is expected");
    for (std::size_t i : {2u, 3u, 4u})
        if (!is_flag(fields[i]))
            return invalid(i == 2 ? "private" : i == 3 ? "unprivileged" : "chroot", i, "y, n or - is expected");
    if (!is_wakeup(fields[5]))
        return invalid("wakeup", 5, "a number of seconds, perhaps with ? behind it, or - is expected");
    if (!is_maxproc(fields[6]))
        return invalid("process_limit", 6, "a number or - is expected");
    if (*type == ServiceType::inet && port_offset(fields[0]) == fields[0].size())
        return invalid("service", 0, "port, host:port or [address]:port is expected");
    if (*type != ServiceType::inet && (fields[0].find('/') != std::string::npos || fields[0].front() == '.'))
        return invalid("service", 0, "a name without / is expected");
    MasterEntry e{std::move(fields[0]),
                  std::move(fields[1]),
                  std::move(fields[2]),
                  std::move(fields[3]),
                  std::move(fields[4]),
                  std::move(fields[5]),
                  std::move(fields[6]),
                  std::move(fields[7]),
                  {},
                  line,
                  line};
    e.args.assign(std::make_move_iterator(fields.begin() + 8), std::make_move_iterator(fields.end()));
    return e;
}

Result<std::vector<MasterEntry>> parse_master_cf(std::string_view text, const std::string& path,
                                                 std::vector<std::string>* warnings) {
    if (text.find('\0') != text.npos)
        return permanent(path + ": a NUL byte: this is no text file");
    std::vector<std::string> ignored;
    std::vector<std::string>& notes = warnings ? *warnings : ignored;
    std::vector<MasterEntry> out;
    std::map<std::pair<std::string, std::string>, int> seen;
    for (const LogicalLine& logical : logical_lines(text, path, notes)) {
        TRY_ASSIGN(MasterEntry entry, parse_master_line(logical.text, path, logical.line));
        entry.last = logical.last;
        auto [earlier, fresh] = seen.try_emplace({entry.name, entry.type}, entry.line);
        if (!fresh) {
            notes.push_back(fmt::format("{}: line {}: service {}/{} is already at line {}: the later entry holds", path,
                                        entry.line, entry.name, entry.type, earlier->second));
            earlier->second = entry.line;
        }
        out.push_back(std::move(entry));
    }
    return out;
}

Result<std::vector<MasterEntry>> read_master_cf(const std::string& path, std::vector<std::string>* warnings) {
    TRY_ASSIGN(std::string text, read_file(path, file_size_max));
    return parse_master_cf(text, path, warnings);
}

std::vector<MasterEntry> effective(const std::vector<MasterEntry>& entries) {
    std::vector<MasterEntry> out;
    std::map<std::pair<std::string, std::string>, std::size_t> places;
    for (auto& entry : entries) {
        auto [place, fresh] = places.try_emplace({entry.name, entry.type}, out.size());
        if (fresh)
            out.push_back(entry);
        else
            out[place->second] = entry;
    }
    return out;
}

bool disabled(const MasterEntry& entry, std::string_view list) {
    std::string whole = entry.name + "/" + entry.type;
    for (std::string_view item : bytes::split(list, ", \t\r\n")) {
        bool negated = item.front() == '!';
        if (negated)
            item.remove_prefix(1);
        if (item == whole || item == entry.type)
            return !negated;
    }
    return false;
}

Result<Assignment> parse_assignment(std::string_view text) {
    auto [name, value] = bytes::cut(text, '=');
    std::string_view trimmed = bytes::trim(name);
    if (!value)
        return permanent(
            fmt::format("missing '=' after attribute name: \"{}\"", bytes::printable(text.substr(0, 100))));
    if (trimmed.empty())
        return permanent(fmt::format("missing attribute name: \"{}\"", bytes::printable(text.substr(0, 100))));
    for (char c : trimmed)
        if (bytes::is_space(c))
            return permanent(
                fmt::format("missing '=' after attribute name: \"{}\"", bytes::printable(text.substr(0, 100))));
    return Assignment{std::string(trimmed), std::string(bytes::trim(*value))};
}

namespace {
// -o's name=value. A shell's quotes would become part of the name, and the parameter keep its value without a word
// about it.
Result<Assignment> parse_override(std::string_view text) {
    Result<Assignment> assignment = parse_assignment(without_braces(text));
    if (!assignment)
        return permanent("-o: " + assignment.error().reason);
    if (assignment->name.front() == '\'' || assignment->name.front() == '"')
        return permanent(fmt::format(
            "-o {}: quotes are not a shell's here: a value with white space is written -o {{ name = value }}",
            bytes::printable(text.substr(0, 100))));
    return assignment;
}

// The letters of args[i], one option each; the last may take the next argument.
Result<void> take_options(const std::vector<std::string>& args, std::size_t& i, ServiceOptions& out) {
    const std::string& arg = args[i];
    for (std::size_t at = 1; at < arg.size(); ++at) {
        if (arg[at] == 'v') {
            ++out.verbose;
            continue;
        }
        if (arg[at] == 'D') {
            out.debug = true;
            continue;
        }
        if (arg[at] != 'o')
            return permanent(fmt::format("unknown option \"{}\": -o name=value, -v or -D is expected",
                                         bytes::printable(arg.substr(0, 100))));
        std::string value = arg.substr(at + 1);
        if (value.empty()) {
            if (i + 1 == args.size())
                return permanent("-o needs name=value behind it");
            value = args[++i];
        }
        TRY_ASSIGN(Assignment assignment, parse_override(value));
        out.overrides.push_back(std::move(assignment));
        return {};
    }
    return {};
}

// What a program of this mail system takes behind its options.
enum class Words { none, flags, attributes };
std::optional<Words> words_of(std::string_view program) {
    static constexpr std::array<std::string_view, 24> without{
        "anvil",  "bounce",   "cleanup",    "discard",         "dnsblog", "error",  "flush",  "local", "mta-sts",
        "pickup", "postlogd", "postscreen", "proxymap",        "qmgr",    "qmqpd",  "scache", "showq", "smtpd",
        "tlsmgr", "tlsproxy", "tlsrpt",     "trivial-rewrite", "verify",  "virtual"};
    if (std::find(without.begin(), without.end(), program) != without.end())
        return Words::none;
    if (program == "smtp" || program == "lmtp")
        return Words::flags;
    if (program == "pipe" || program == "spawn")
        return Words::attributes;
    return std::nullopt;
}

// The first word that such a program does not take.
const std::string* stray_word(Words words, const std::vector<std::string>& arguments) {
    for (const std::string& word : arguments) {
        if (words == Words::attributes && word.starts_with("argv="))
            return nullptr;  // what follows is the command's
        bool taken = words == Words::attributes ? word.find('=') != word.npos
                                                : words == Words::flags && word.starts_with("flags=");
        if (!taken)
            return &word;
    }
    return nullptr;
}
}

Result<ServiceOptions> service_options(const std::vector<std::string>& args) {
    ServiceOptions out;
    std::size_t i = 0;
    for (; i < args.size(); ++i) {
        if (args[i].size() < 2 || args[i][0] != '-')
            break;
        if (args[i] == "--") {
            ++i;
            break;
        }
        TRY(take_options(args, i, out));
    }
    out.arguments.assign(args.begin() + static_cast<std::ptrdiff_t>(i), args.end());
    return out;
}

std::string unexpected_word(std::string_view word, const Overrides& overrides) {
    std::string text = fmt::format("unexpected word \"{}\"", bytes::printable(word.substr(0, 100)));
    if (overrides.empty())
        return text;
    const Assignment& last = overrides.back();
    return text + fmt::format(" behind -o {}={}: a value with white space is written -o {{ {} = value }}",
                              bytes::printable(last.name), bytes::printable(last.value.substr(0, 100)),
                              bytes::printable(last.name));
}

Result<ServiceOptions> options_of(const MasterEntry& entry) {
    Result<ServiceOptions> options = service_options(entry.argv());
    std::optional<Words> words = words_of(entry.command);
    if (!words)
        return options ? std::move(options) : ServiceOptions{};
    if (!options)
        return options;
    if (const std::string* word = stray_word(*words, options->arguments))
        return permanent(unexpected_word(*word, options->overrides));
    return options;
}
}
