// What `postfix check` says about TLS reports (RFC 8460) where master.cf has the service tlsrpt: settings without which
// none is sent, a signing key that cannot be used or that the world can read, a sender that the signature does not
// vouch for. Nothing when all is well, or without the service.
#pragma once
#include <string>
#include <vector>
#include "conf/settings.h"

namespace postfix {
std::vector<std::string> report_problems(const conf::Settings& settings);
}
