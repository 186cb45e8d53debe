// The TLS library's own configuration: tls_config_file and tls_config_name. Before the process's first use of the
// library, as root.
//
// When things fail: an Error that names the file; TLS is then not to be had. What is wrong with the system's own
// openssl.cnf is passed over.
#pragma once
#include "base/error.h"

namespace conf {
class Settings;
}

namespace tls {
// Once a process; later calls give the first one's result.
Result<void> start_library(const conf::Settings& settings);
}
