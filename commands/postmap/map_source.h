// postmap's source lines.
#pragma once
#include <string>
#include <string_view>
#include "table/command.h"

namespace postmap {
Result<table::SourceEntry> parse_line(std::string_view line);
// What is odd about a line that can be read: it looks like one of aliases(5).
std::string remark(std::string_view line);
}
