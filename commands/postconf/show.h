// Prints main.cf parameters, master.cf entries, their fields and their -o parameters. Output goes to stdout as it is
// made.
#pragma once
#include "conf/master_cf.h"
#include "conf/names.h"
#include "conf/values.h"
#include "options.h"

namespace postconf {
void show_parameters(const Options& options, const conf::Values& values, const conf::Names& names);
// -M, -F and -P: arguments select by service, service/type and service/type/field or parameter; * matches any.
void show_master(const Options& options, const conf::Values& values, const std::vector<conf::MasterEntry>& entries);

// "service/type/item" taken apart; what is left out is "*".
struct Pattern {
    std::string service = "*", type = "*", item = "*";
    bool matches(const conf::MasterEntry& entry) const;
};
Pattern parse_pattern(std::string_view text, std::size_t parts_max);
// The eight columns by their names in -F; command holds the arguments too.
struct Field {
    std::string_view name;
    std::string (*read)(const conf::MasterEntry&);
};
const std::vector<Field>& fields();
}
