#include "table/source.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "log/log.h"

namespace table {
std::optional<std::string_view> SourceReader::physical() {
    if (rest_.empty())
        return std::nullopt;
    std::size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++number_;
    return line;
}

std::optional<SourceLine> SourceReader::next() {
    SourceLine found;
    for (;;) {
        std::string_view before = rest_;
        std::optional<std::string_view> line = physical();
        if (!line)
            break;
        std::string_view bare = bytes::trim(*line);
        if (bare.empty() || bare[0] == '#')
            continue;
        bool continues = bytes::is_space((*line)[0]);
        if (found.number == 0 && continues) {
            maillog::warning("{}: logical line must not start with whitespace: \"{}\"", name_, line->substr(0, 100));
            continue;
        }
        if (found.number && !continues) {  // belongs to the next call
            rest_ = before;
            --number_;
            break;
        }
        if (!found.number)
            found.number = number_;
        found.text += *line;
    }
    if (!found.number)
        return std::nullopt;
    while (!found.text.empty() && bytes::is_space(found.text.back()))
        found.text.pop_back();
    return found;
}

Result<KeyValue> split_key_value(std::string_view line) {
    bool quoted = false;
    std::size_t end = 0;
    for (; end < line.size(); ++end) {
        char c = line[end];
        if (c == '\\' && quoted && end + 1 < line.size())
            ++end;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && bytes::is_space(c))
            break;
    }
    if (quoted)
        return permanent(fmt::format("unbalanced '\"' in '{}' -- ignoring this line", line));
    KeyValue found{line.substr(0, end), bytes::trim(line.substr(end))};
    if (found.key.empty() || found.value.empty())
        return permanent("expected format: key whitespace value");
    return found;
}
}
