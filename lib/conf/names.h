// Which names mean something in main.cf and master.cf: built in, made by a service, or defined by the user and used
// somewhere; and the warnings about those that do not.
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

namespace conf {
// `service`: made by a master.cf entry, as relay_destination_concurrency_limit is.
enum class NameClass { builtin, service, user };

class Names {
public:
    Names(const Values& values, const std::vector<MasterEntry>& entries);
    // The class of a name in main.cf; absent where nothing would read it.
    std::optional<NameClass> find(std::string_view name) const;
    // All built-in and service-made names, and the user-defined ones that are set, sorted.
    const std::map<std::string, NameClass, std::less<>>& all() const { return names_; }
    // Unused, undefined and deprecated names, main.cf first.
    std::vector<std::string> warnings(const std::string& main_path, const std::string& master_path) const;

private:
    struct ServiceOverrides {
        std::string label;
        Overrides overrides;
    };
    void add_service_names(const std::vector<MasterEntry>& entries);
    std::set<std::string> tables_of(std::string_view value) const;
    void warn_undefined(std::vector<std::string>& out, const std::string& path, std::string_view name,
                        std::string_view text, const Overrides& overrides, std::set<std::string>& seen) const;

    const Values& values_;
    std::map<std::string, NameClass, std::less<>> names_;
    std::set<std::string, std::less<>> mentioned_;  // by $name, as a restriction class or as a table's own parameter
    std::vector<ServiceOverrides> services_;
};
}
