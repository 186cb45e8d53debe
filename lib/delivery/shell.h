// How a command line becomes arguments: split at white space, or handed to a shell. Inside lib/delivery.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace delivery {
std::vector<std::string> shell_arguments(std::string_view line, std::string_view shell);
}
