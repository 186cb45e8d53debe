// The daemon's moments: before the jail, in it, each connection.
#pragma once
#include <string>
#include "base/error.h"
#include "conf/settings.h"

namespace server {
struct Connection;
}

namespace smtpd {
Result<void> open_service(const conf::Settings& settings);
Result<void> ready(const conf::Settings& settings);  // in the jail, in a fiber
void serve(server::Connection& connection);
const std::string& no_memory();  // what a client is told that cannot be served
}
