// What `postfix check` says about private keys and certificates that main.cf names: keys that others can read, that are encrypted or do
// not belong to their certificate, certificates that have expired or will within 14 days. Nothing when all is well.
#pragma once
#include <string>
#include <vector>
#include "conf/settings.h"

namespace postfix {
std::vector<std::string> key_problems(const conf::Settings& settings);
}
