// From the connection to the first MAIL: greeting, hello, STARTTLS, whether the TLS session shows what it must, and
// what the log says of that.
#pragma once
#include <optional>
#include <string>
#include "hello.h"
#include "peer.h"
#include "tls/policy.h"
#include "tlsrpt.h"

namespace smtp {
// Nothing: ready for MAIL. report learns how TLS went; peer.tls says how far it came.
std::optional<Refusal> shake_hands(Peer& peer, const tls::Policy& policy, const tls::Demand& demand, bool without_tls,
                                   TlsReport& report);

// tls= in the log: "may?", "may:none", "!encrypt:nostarttls", "dane:halfdane", "secure/requiretls" …
std::string tls_feature(const tls::Demand& demand, TlsState tls, RequireTlsState require_tls);
// The same where only the policy is known, and before a host is asked: "none", "may?".
std::string tls_wish(tls::Level level);
}
