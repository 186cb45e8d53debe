// pipemap:{a, b}: each table's value is the next one's key. unionmap:{a, b}: every table gets the key; the values
// found, joined with commas.
#include <fmt/format.h>
#include "table/types/type.h"

namespace table {
namespace {
class CompoundTable : public Table {
public:
    CompoundTable(std::string table_name, bool pipe, std::vector<std::unique_ptr<Table>> tables)
        : Table(std::move(table_name)), pipe_(pipe), tables_(std::move(tables)) {
        for (const auto& table : tables_) {
            pattern_ = pattern_ || table->pattern();
            trusted_ = trusted_ && table->trusted();
        }
    }

protected:
    Result<std::optional<std::string>> lookup(std::string_view key) override {
        return pipe_ ? through(key) : together(key);
    }

private:
    Result<std::optional<std::string>> through(std::string_view key) {
        std::optional<std::string> value(key);
        for (const auto& table : tables_) {
            std::string next_key = std::move(*value);
            TRY_ASSIGN(value, table->find(next_key));
            if (!value)
                break;
        }
        return value;
    }
    Result<std::optional<std::string>> together(std::string_view key) {
        std::optional<std::string> all;
        for (const auto& table : tables_) {
            TRY_ASSIGN(std::optional<std::string> one, table->find(key));
            if (!one)
                continue;
            if (all)
                *all += "," + *one;
            else
                all = std::move(one);
        }
        return all;
    }
    bool pipe_;
    std::vector<std::unique_ptr<Table>> tables_;
};

Result<std::unique_ptr<Table>> open_compound(std::string_view type, std::string_view name, const OpenOptions& options) {
    TRY_ASSIGN(std::vector<std::string> members, braced_members(type, name, "type:name"));
    std::vector<std::unique_ptr<Table>> tables;
    for (const std::string& member : members) {
        TRY_ASSIGN(std::unique_ptr<Table> table, open(member, options));
        tables.push_back(std::move(table));
    }
    return std::make_unique<CompoundTable>(fmt::format("{}:{}", type, name), type == "pipemap", std::move(tables));
}
}

const Type pipemap_type{"pipemap", "",
                        [](std::string_view n, const OpenOptions& o) { return open_compound("pipemap", n, o); }};
const Type unionmap_type{"unionmap", "",
                         [](std::string_view n, const OpenOptions& o) { return open_compound("unionmap", n, o); }};
}
