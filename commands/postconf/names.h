// Which names mean something in these files: built in, made by a service, or defined by the user and used somewhere; and the
// warnings about those that do not.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>
#include "conf/main_cf.h"
#include "conf/master_cf.h"
#include "conf/values.h"

namespace postconf {
enum class Class { builtin, service, user };

class Names {
public:
    Names(const conf::Values& values, const std::vector<conf::MasterEntry>& entries);
    // The class of a name in main.cf; absent where nothing would read it.
    std::optional<Class> find(std::string_view name) const;
    // All built-in and service-made names, and the user-defined ones that are set, sorted.
    const std::map<std::string, Class, std::less<>>& all() const { return names_; }
    // Unused, undefined and deprecated names, main.cf first.
    std::vector<std::string> warnings(const std::string& main_path, const std::string& master_path) const;

private:
    struct Service { std::string label; conf::Overrides overrides; };
    void add_service_names(const std::vector<conf::MasterEntry>& entries);
    std::set<std::string> tables_of(std::string_view value) const;
    void warn_undefined(std::vector<std::string>& out, const std::string& path, std::string_view name, std::string_view text, const conf::Overrides& overrides,
                        std::set<std::string>& seen) const;

    const conf::Values& values_;
    std::map<std::string, Class, std::less<>> names_;
    std::set<std::string, std::less<>> mentioned_;       // by $name, as a restriction class or as a table's own parameter
    std::vector<Service> services_;
};

// The value as it stands, and expanded where expand is on: an expansion that fails ends the program with its reason.
std::string shown_value(const conf::Values& values, std::string_view name, std::string_view raw, bool expand, const conf::Overrides& overrides = {});
}
