// What an installation puts into command_directory, daemon_directory and config_directory: who owns it, and who may run
// it.
#pragma once
#include <string>
#include <vector>
#include "conf/settings.h"

namespace postfix {
// One line for each set-gid program that is not as it ought to be, and for each directory that keeps users from the
// commands; what is not installed counts for nothing.
std::vector<std::string> program_problems(const conf::Settings& settings);
}
