// Tables without entries of their own: static: (always its name), fail: (always an error), environ: (the process's
// environment), randmap: (one of the listed values), nis: (which the default of alias_maps names), and proxy:, which
// opens the table behind it here.
#include <unistd.h>
#include <cstdlib>
#include <fmt/format.h>
#include <random>
#include "base/bytes.h"
#include "table/types/type.h"

namespace table {
namespace {
class StaticTable : public Table {
public:
    StaticTable(std::string table_name, std::string value, bool utf8)
        : Table(std::move(table_name)), value_(std::move(value)) {
        utf8_ = utf8;
    }

protected:
    Result<std::optional<std::string>> lookup(std::string_view) override { return std::optional<std::string>(value_); }

private:
    std::string value_;
};

Result<std::unique_ptr<Table>> open_static(std::string_view name, const OpenOptions& options) {
    std::string_view value = name;
    if (value.starts_with('{')) {  // "{ text with spaces }"
        if (!value.ends_with('}') || value.size() < 2)
            return permanent(fmt::format("bad syntax: \"static:{}\"", name));
        value = bytes::trim(value.substr(1, value.size() - 2));
    }
    return std::make_unique<StaticTable>(fmt::format("static:{}", name), std::string(value),
                                         options.utf8 && process().utf8);
}

class FailTable : public Table {
public:
    using Table::Table;

protected:
    Result<std::optional<std::string>> lookup(std::string_view) override {
        return temporary(fmt::format("table {}: query error: Application error", name()));
    }
    Result<void> store(std::string_view, std::string_view) override {
        return temporary(fmt::format("table {}: update error: Application error", name()));
    }
    Result<bool> remove(std::string_view) override {
        return temporary(fmt::format("table {}: delete error: Application error", name()));
    }
};

Result<std::unique_ptr<Table>> open_fail(std::string_view name, const OpenOptions&) {
    return std::make_unique<FailTable>(fmt::format("fail:{}", name));
}

class EnvironTable : public Table {
public:
    EnvironTable(std::string table_name) : Table(std::move(table_name)) { trusted_ = false; }

protected:
    Result<std::optional<std::string>> lookup(std::string_view key) override {
        const char* value = std::getenv(std::string(key).c_str());
        return value && *value ? std::optional<std::string>(value) : std::nullopt;
    }
};

Result<std::unique_ptr<Table>> open_environ(std::string_view name, const OpenOptions&) {
    return std::make_unique<EnvironTable>(fmt::format("environ:{}", name));
}

class RandTable : public Table {
public:
    RandTable(std::string table_name, std::vector<std::string> values)
        : Table(std::move(table_name)), values_(std::move(values)) {}

protected:
    Result<std::optional<std::string>> lookup(std::string_view) override {
        return std::optional<std::string>(
            values_[std::uniform_int_distribution<std::size_t>(0, values_.size() - 1)(random_)]);
    }

private:
    std::vector<std::string> values_;
    std::mt19937 random_{std::random_device{}()};
};

Result<std::unique_ptr<Table>> open_randmap(std::string_view name, const OpenOptions&) {
    TRY_ASSIGN(std::vector<std::string> values, braced_members("randmap", name, "value"));
    return std::make_unique<RandTable>(fmt::format("randmap:{}", name), std::move(values));
}

class NoTable : public Table {
public:
    using Table::Table;

protected:
    Result<std::optional<std::string>> lookup(std::string_view) override { return std::optional<std::string>(); }
};

// On a host that is in no NIS domain there is nothing to look up. In a domain we cannot tell: NIS is not spoken here.
Result<std::unique_ptr<Table>> open_nis(std::string_view name, const OpenOptions&) {
    char domain[256] = "";
    std::string table_name = fmt::format("nis:{}", name);
    if (::getdomainname(domain, sizeof domain - 1) == 0 && *domain != 0 && std::string_view(domain) != "(none)")
        return permanent(fmt::format("table {}: NIS lookups are not supported, and this host is in NIS domain {}",
                                     table_name, bytes::printable(domain)));
    return std::make_unique<NoTable>(table_name);
}

Result<std::unique_ptr<Table>> open_proxy(std::string_view name, const OpenOptions& options) {
    if (options.refuse_substitution && options.access != Access::read)
        return permanent(fmt::format("proxy:{}: not allowed for security sensitive data", name));
    return open(name, options);
}
}

const Type static_type{"static", "", open_static};
const Type fail_type{"fail", "", open_fail};
const Type environ_type{"environ", "", open_environ};
const Type randmap_type{"randmap", "", open_randmap};
const Type nis_type{"nis", "", open_nis};
const Type proxy_type{"proxy", "", open_proxy};
}
