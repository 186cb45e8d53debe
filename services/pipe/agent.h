// Delivery to a command that master.cf names, with the rights that it names.
//
// When things fail: the command's exit status says it (sysexits.h), or a status code at the start of its output. All
// recipients of a request share its fate.
#pragma once
#include "conf/settings.h"
#include "net/stream.h"

namespace pipe_agent {
Result<void> before_jail(const conf::Settings& settings);
void serve(net::Stream& stream);
}
