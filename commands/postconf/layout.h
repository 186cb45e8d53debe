// How lines are printed: "name = value" with white space made even, folded at 80 columns on request.
#pragma once
#include <string>
#include <string_view>
#include "conf/master_cf.h"

namespace postconf {
inline constexpr std::size_t width = 80;

// "name = value\n"; runs of white space become one space; folded: continued with four spaces before column 80.
std::string setting_line(std::string_view name, std::string_view value, bool folded);
// The value alone, the same way (postconf -h).
std::string value_line(std::string_view value, bool folded);
// One master.cf entry in aligned columns. Not folded: all in one line; folded: each -o in a line of its own.
std::string entry_text(const conf::MasterEntry& entry, bool folded);
// An argument as master.cf would have it: { } around what holds white space. `-o`, `-o` arguments get even white space.
std::string argument_text(std::string_view argument);
}
