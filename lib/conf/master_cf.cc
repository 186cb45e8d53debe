#include "conf/master_cf.h"

#include <fmt/format.h>

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
    if (name == "inet") return ServiceType::inet;
    if (name == "unix") return ServiceType::unix_stream;
    if (name == "unix-dgram") return ServiceType::unix_dgram;
    if (name == "fifo") return ServiceType::fifo;
    if (name == "pass") return ServiceType::pass;
    return std::nullopt;
}

bool is_flag(std::string_view s) { return s == "y" || s == "n" || s == "-"; }

bool is_wakeup(std::string_view s) {
    if (s == "-") return true;
    if (s.ends_with('?')) s.remove_suffix(1);
    auto n = bytes::to_int(s);
    return n && *n >= 0 && *n <= INT32_MAX && bytes::is_digit(s.front());
}

bool is_maxproc(std::string_view s) {
    if (s == "-") return true;
    auto n = bytes::to_int(s);
    return n && *n >= 0 && *n <= INT32_MAX && bytes::is_digit(s.front());
}

// Words between white space; text within { } is part of its word. An unclosed brace is an Error.
Result<std::vector<std::string>> words(std::string_view text, const std::string& where) {
    std::vector<std::string> out;
    std::size_t at = 0;
    while (at < text.size()) {
        while (at < text.size() && bytes::is_space(text[at])) ++at;
        if (at == text.size()) break;
        std::size_t begin = at;
        int level = 0;
        for (; at < text.size() && (level > 0 || !bytes::is_space(text[at])); ++at) {
            if (text[at] == '{') ++level;
            else if (text[at] == '}' && level > 0) --level;
        }
        if (level > 0) return permanent(fmt::format("{}: missing '}}' in \"{}\"", where, bytes::printable(text.substr(begin, 100))));
        if (out.size() == args_max) return permanent(fmt::format("{}: more than {} words", where, args_max));
        out.emplace_back(text.substr(begin, at - begin));
    }
    return out;
}

std::string without_braces(std::string_view arg) {
    if (arg.size() >= 2 && arg.front() == '{' && arg.back() == '}') return std::string(bytes::trim(arg.substr(1, arg.size() - 2)));
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
    if (chroot_field != "-") return chroot_field == "y";
    return compare_levels(compatibility_level, "1").value_or(1) < 0;
}
std::chrono::seconds MasterEntry::wakeup() const {
    std::string_view s = wakeup_field;
    if (s.ends_with('?')) s.remove_suffix(1);
    return std::chrono::seconds(bytes::to_int(s).value_or(0));
}
bool MasterEntry::wakeup_only_if_used() const { return wakeup_field.ends_with('?'); }
std::optional<int> MasterEntry::maxproc() const {
    if (maxproc_field == "-") return std::nullopt;
    return static_cast<int>(bytes::to_int(maxproc_field).value_or(0));
}
std::string MasterEntry::host() const {
    std::size_t at = port_offset(name);
    if (at == 0) return "";
    std::string host = name.substr(0, at - 1);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    return host;
}
std::string MasterEntry::port() const { return name.substr(port_offset(name)); }
std::string MasterEntry::socket_path() const { return (is_private() ? "private/" : "public/") + name; }
std::vector<std::string> MasterEntry::argv() const {
    std::vector<std::string> out;
    out.reserve(args.size());
    for (auto& arg : args) out.push_back(without_braces(arg));
    return out;
}

Result<MasterEntry> parse_master_line(std::string_view text, const std::string& path, int line) {
    std::string where = fmt::format("{}: line {}", path, line);
    TRY_ASSIGN(std::vector<std::string> fields, words(text, where));
    if (fields.size() < 8)
        return permanent(fmt::format("{}: bad field count: {} of at least 8 (service type private unprivileged chroot wakeup maxproc command)", where, fields.size()));
    auto invalid = [&](std::string_view column, std::size_t i, std::string_view right) {
        return permanent(fmt::format("{}: invalid {} field \"{}\" in \"{}\": {}", where, column, bytes::printable(fields[i]),
                                     bytes::printable(text.substr(0, 100)), right));
    };
    auto type = type_of(fields[1]);
    if (!type) return invalid("type", 1, "inet, unix, unix-dgram, fifo or pass is expected");
    for (std::size_t i : {2u, 3u, 4u})
        if (!is_flag(fields[i])) return invalid(i == 2 ? "private" : i == 3 ? "unprivileged" : "chroot", i, "y, n or - is expected");
    if (!is_wakeup(fields[5])) return invalid("wakeup", 5, "a number of seconds, perhaps with ? behind it, or - is expected");
    if (!is_maxproc(fields[6])) return invalid("process_limit", 6, "a number or - is expected");
    if (*type == ServiceType::inet && port_offset(fields[0]) == fields[0].size()) return invalid("service", 0, "port, host:port or [address]:port is expected");
    if (*type != ServiceType::inet && (fields[0].find('/') != std::string::npos || fields[0].front() == '.'))
        return invalid("service", 0, "a name without / is expected");
    MasterEntry e{std::move(fields[0]), std::move(fields[1]), std::move(fields[2]), std::move(fields[3]), std::move(fields[4]), std::move(fields[5]),
                  std::move(fields[6]), std::move(fields[7]), {}, line, line};
    e.args.assign(std::make_move_iterator(fields.begin() + 8), std::make_move_iterator(fields.end()));
    return e;
}

Result<std::vector<MasterEntry>> parse_master_cf(std::string_view text, const std::string& path, std::vector<std::string>* warnings) {
    if (text.find('\0') != text.npos) return permanent(path + ": a NUL byte: this is no text file");
    std::vector<std::string> ignored;
    std::vector<std::string>& notes = warnings ? *warnings : ignored;
    std::vector<MasterEntry> out;
    std::map<std::pair<std::string, std::string>, int> seen;
    for (const LogicalLine& logical : logical_lines(text, path, notes)) {
        TRY_ASSIGN(MasterEntry entry, parse_master_line(logical.text, path, logical.line));
        entry.last = logical.last;
        auto [earlier, fresh] = seen.try_emplace({entry.name, entry.type}, entry.line);
        if (!fresh) {
            notes.push_back(fmt::format("{}: line {}: service {}/{} is already at line {}: the later entry holds", path, entry.line, entry.name, entry.type,
                                        earlier->second));
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
        if (fresh) out.push_back(entry);
        else out[place->second] = entry;
    }
    return out;
}

Result<Assignment> parse_assignment(std::string_view text) {
    auto [name, value] = bytes::cut(text, '=');
    std::string_view trimmed = bytes::trim(name);
    if (!value) return permanent(fmt::format("missing '=' after attribute name: \"{}\"", bytes::printable(text.substr(0, 100))));
    if (trimmed.empty()) return permanent(fmt::format("missing attribute name: \"{}\"", bytes::printable(text.substr(0, 100))));
    for (char c : trimmed)
        if (bytes::is_space(c)) return permanent(fmt::format("missing '=' after attribute name: \"{}\"", bytes::printable(text.substr(0, 100))));
    return Assignment{std::string(trimmed), std::string(bytes::trim(*value))};
}

Result<ServiceOptions> service_options(const std::vector<std::string>& args) {
    ServiceOptions out;
    for (std::size_t i = 0; i < args.size(); ++i) {
        const std::string& arg = args[i];
        if (arg.size() < 2 || arg[0] != '-') {
            out.arguments.insert(out.arguments.end(), args.begin() + static_cast<std::ptrdiff_t>(i), args.end());
            return out;
        }
        if (arg == "--") {
            out.arguments.insert(out.arguments.end(), args.begin() + static_cast<std::ptrdiff_t>(i) + 1, args.end());
            return out;
        }
        if (arg[1] == 'o') {
            std::string value = arg.substr(2);
            if (value.empty()) {
                if (++i == args.size()) return permanent("-o needs name=value behind it");
                value = args[i];
            }
            Result<Assignment> assignment = parse_assignment(without_braces(value));
            if (!assignment) return permanent("-o: " + assignment.error().reason);
            out.overrides.push_back(std::move(*assignment));
        } else if (arg.find_first_not_of("vD", 1) == std::string::npos) {
            for (char c : arg.substr(1)) { if (c == 'v') ++out.verbose; else out.debug = true; }
        } else out.arguments.push_back(arg);
    }
    return out;
}
}
