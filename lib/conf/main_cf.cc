#include "conf/main_cf.h"

#include <fmt/format.h>

#include <unordered_map>

#include "base/bytes.h"
#include "base/fd.h"

namespace conf {
namespace {
constexpr std::size_t file_size_max = 16u << 20;

std::string_view trim_right(std::string_view s) {
    while (!s.empty() && bytes::is_space(s.back()))
        s.remove_suffix(1);
    return s;
}
bool is_name_char(char c) { return !bytes::is_space(c) && c != '='; }
}

std::vector<LogicalLine> logical_lines(std::string_view text, const std::string& path,
                                       std::vector<std::string>& warnings) {
    std::vector<LogicalLine> out;
    int number = 0;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = text.find('\n', at);
        if (end == text.npos)
            end = text.size();
        std::string_view line = text.substr(at, end - at);
        at = end + 1;
        ++number;
        std::string_view content = bytes::trim(line);
        if (content.empty() || content.front() == '#')
            continue;
        if (!bytes::is_space(line.front()))
            out.push_back({std::string(trim_right(line)), number, number});
        else if (!out.empty()) {
            out.back().text += trim_right(line);
            out.back().last = number;
        } else
            warnings.push_back(fmt::format("{}: logical line must not start with whitespace: \"{}\"", path,
                                           bytes::printable(line.substr(0, 100))));
    }
    return out;
}

Result<MainFile> parse_main_cf(std::string_view text, const std::string& path) {
    MainFile file{path, {}, {}};
    std::unordered_map<std::string, std::size_t> seen;
    if (text.find('\0') != text.npos) {
        std::size_t before = 1;
        for (char c : text.substr(0, text.find('\0')))
            before += c == '\n';
        return permanent(fmt::format("{}, line {}: a NUL byte: this is no text file", path, before));
    }
    for (LogicalLine& logical : logical_lines(text, path, file.warnings)) {
        std::string_view s = logical.text;
        std::string shown = bytes::printable(s.substr(0, 100));
        std::size_t end = 0;
        while (end < s.size() && is_name_char(s[end]))
            ++end;
        if (end == 0)
            return permanent(fmt::format("{}, line {}: missing attribute name: \"{}\"", path, logical.line, shown));
        std::string name(s.substr(0, end));
        while (end < s.size() && bytes::is_space(s[end]))
            ++end;
        if (end == s.size() || s[end] != '=')
            return permanent(
                fmt::format("{}, line {}: missing '=' after attribute name: \"{}\"", path, logical.line, shown));
        MainLine entry{std::move(name), std::string(bytes::trim(s.substr(end + 1))), logical.line, logical.last};
        auto [earlier, fresh] = seen.try_emplace(entry.name, file.lines.size());
        if (!fresh) {
            const std::string& before = file.lines[earlier->second].value;
            if (before != entry.value)
                file.warnings.push_back(
                    fmt::format("{}, line {}: overriding earlier entry: {}={}", path, entry.line, entry.name, before));
            earlier->second = file.lines.size();
        }
        file.lines.push_back(std::move(entry));
    }
    return file;
}

Result<MainFile> read_main_cf(const std::string& path) {
    TRY_ASSIGN(std::string text, read_file(path, file_size_max));
    return parse_main_cf(text, path);
}
}
