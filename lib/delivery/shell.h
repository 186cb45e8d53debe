// How a command line becomes arguments: split at white space, or handed to a shell. Inside lib/delivery.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace delivery {
// The line as an argument of /bin/sh.
std::vector<std::string> by_shell(std::string_view line);
// shell: local_command_shell. Without it /bin/sh gets the line, if it needs one.
std::vector<std::string> shell_arguments(std::string_view line, std::string_view shell);
}
