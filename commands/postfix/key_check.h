// What `postfix check` says about private keys and certificates that main.cf and the -o of master.cf name: keys that
// others can read, that are encrypted or do not belong to their certificate, certificates that have expired or will
// within 14 days. One line each, naming the file; nothing when all is well.
#pragma once
#include <string>
#include <vector>
#include "conf/settings.h"

namespace postfix {
// names_too: also server certificates that are for another name than myhostname (-v).
std::vector<std::string> key_problems(const conf::Settings& settings, bool names_too);
}
