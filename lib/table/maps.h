// Maps: the tables that one parameter names, looked up in the order written; the first that has the key answers.
//
//     table::Maps transports = table::Maps::open("transport_maps", settings[param::transport_maps]);
//     TRY_ASSIGN(auto hit, transports.find("example.org"));
//
// The value of a parameter: names separated by white space or commas, "{ type:name … }" in braces is one name.
//
// When things fail: a table that cannot be opened is logged once and then fails each lookup that reaches it, with a
// temporary error that names it (451 4.3.x to clients, queued mail stays queued). Nothing ends the process.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "table/table.h"

namespace table {
enum class Which : std::uint8_t {
    all,
    fixed,
    pattern
};  // fixed: keys that are parts of an address do not go to pattern tables

struct Hit {
    std::string value;
    const Table* from;  // the table that had it
};

class Maps {
public:
    Maps() = default;  // no tables: find() is always absent
    static Maps open(std::string_view title, std::string_view value, const OpenOptions& options = {});
    static Maps of(std::string_view title, std::vector<std::shared_ptr<Table>> tables);

    Result<std::optional<std::string>> find(std::string_view key, Which which = Which::all) const;
    Result<std::optional<Hit>> find_hit(std::string_view key, Which which = Which::all) const;
    bool empty() const { return tables_.empty(); }
    bool has_patterns() const;
    const std::string& title() const { return title_; }  // the parameter's name
    const std::vector<std::shared_ptr<Table>>& tables() const { return tables_; }

private:
    std::string title_;
    std::vector<std::shared_ptr<Table>> tables_;  // copies share them
};
}
