// The lines of aliases(5): "name: value, value …", and the entries that Sendmail and NIS expect in an alias database.
#pragma once
#include <string>
#include <string_view>
#include "table/command.h"

namespace postalias {
// The name is a local one, and kept in quotes where it holds white space or specials. The value is kept as an address
// list in one spelling.
Result<table::SourceEntry> parse_line(std::string_view line);
// "@" (Sendmail: the database is complete), YP_LAST_MODIFIED and YP_MASTER_NAME (NIS).
Result<void> add_marks(table::Table& table, const conf::Settings& settings);
}
