// What master could not listen on: known before anything is started, and before a running system is asked to reload.
#pragma once
#include <string>
#include <vector>
#include "conf/settings.h"

namespace postfix {
// Addresses in inet_interfaces and master.cf that are not on this host, names that have no address, unknown ports: one
// line each. Asks the resolver for names. Whether a port is taken is not looked at: the running system itself has them.
std::vector<std::string> interface_problems(const conf::Settings& settings);
}
