// Whether this host's resolver validates: a warning in the log where it seems that it does not. For query.cc.
#pragma once
#include "dns/dns.h"

namespace dns {
// Looks at the answer to a question that asked for validation. The first one that is not validated, before any that
// was, sends the probe.
void watch_validation(const Answer& answer);
}
