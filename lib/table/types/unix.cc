// unix:passwd.byname and unix:group.byname: the entries that the host's name service has, in the shape of passwd(5) and
// group(5).
#include <fmt/format.h>
#include "table/name_service.h"
#include "table/types/type.h"

namespace table {
namespace {
class UnixTable : public Table {
public:
    UnixTable(std::string table_name, bool groups, const OpenOptions& options)
        : Table(std::move(table_name)), groups_(groups) {
        fold_ = options.fold;
    }

protected:
    Result<std::optional<std::string>> lookup(std::string_view key) override {
        if (key.find('\0') != key.npos)
            return std::nullopt;
        Result<std::optional<std::string>> found = ask_name_service(groups_, std::string(key));
        if (!found)
            return temporary(fmt::format("table {}: lookup error: {}", name(), found.error().reason));
        return found;
    }

private:
    bool groups_;
};

Result<std::unique_ptr<Table>> open_unix(std::string_view name, const OpenOptions& options) {
    if (name != "passwd.byname" && name != "group.byname")
        return permanent(fmt::format("unknown table: unix:{}", name));
    note_unix_table();
    return std::make_unique<UnixTable>(fmt::format("unix:{}", name), name == "group.byname", options);
}
}

const Type unix_type{"unix", "", open_unix};
}
