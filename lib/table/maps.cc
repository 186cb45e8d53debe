#include "table/maps.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "log/log.h"

namespace table {
Maps Maps::open(std::string_view title, std::string_view value, const OpenOptions& options) {
    Maps maps;
    maps.title_ = title;
    for (std::string_view name : bytes::split_outside_braces(value, ", \t\r\n")) {
        if (name.size() >= 2 && name.front() == '{' && name.back() == '}')
            name = bytes::trim(name.substr(1, name.size() - 2));
        maps.tables_.push_back(open_or_broken(name, options));
    }
    return maps;
}

Maps Maps::of(std::string_view title, std::vector<std::shared_ptr<Table>> tables) {
    Maps maps;
    maps.title_ = title;
    maps.tables_ = std::move(tables);
    return maps;
}

Result<std::optional<Hit>> Maps::find_hit(std::string_view key, Which which) const {
    for (const std::shared_ptr<Table>& table : tables_) {
        if (which != Which::all && table->pattern() != (which == Which::pattern))
            continue;
        TRY_ASSIGN(std::optional<std::string> value, table->find(key));
        if (!value)
            continue;
        if (value->empty()) {  // no answer is better than one that nobody can have meant
            maillog::warning("{} lookup of {} returns an empty string result", table->name(),
                             bytes::printable(key.substr(0, 100)));
            maillog::warning("{} should return NO RESULT in case of NOT FOUND", table->name());
            return temporary(fmt::format("table {}: empty result", table->name()));
        }
        return std::optional<Hit>(Hit{std::move(*value), table.get()});
    }
    return std::optional<Hit>();
}

Result<std::optional<std::string>> Maps::find(std::string_view key, Which which) const {
    TRY_ASSIGN(std::optional<Hit> hit, find_hit(key, which));
    if (!hit)
        return std::optional<std::string>();
    return std::optional<std::string>(std::move(hit->value));
}

bool Maps::has_patterns() const {
    for (const auto& table : tables_)
        if (table->pattern())
            return true;
    return false;
}
}
