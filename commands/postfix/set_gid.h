// The programs that run with setgid_group's rights: postdrop and postqueue reach maildrop/ and public/, postlog reaches postlogd.
#pragma once
#include <string>
#include <vector>
#include "conf/settings.h"

namespace postfix {
std::vector<std::string> set_gid_programs(const conf::Settings& settings);
// One line for each that is not as it ought to be; one that is not installed counts for nothing.
std::vector<std::string> set_gid_problems(const conf::Settings& settings);
}
