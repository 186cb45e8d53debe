// From the connection to the first MAIL: greeting, EHLO, HELO or LHLO, STARTTLS, and what the server offers.
#pragma once
#include <optional>
#include <string>
#include "base/error.h"
#include "peer.h"
#include "requiretls.h"
#include "tls_policy.h"

namespace smtp {
struct Refusal {
    Error why;                   // as the log and the sender are told
    std::string diagnostic;      // the server's reply, where it gave one
    bool try_plaintext = false;  // the TLS handshake failed, and the policy lets mail go without in the end
    RequireTlsState require_tls = RequireTlsState::not_asked;  // violated: that alone stands against this host
};
// Nothing: ready for MAIL. report learns how TLS went; peer.tls says how far it came.
std::optional<Refusal> shake_hands(Peer& peer, const tls::Policy& policy, const tls::Demand& demand, bool without_tls,
                                   TlsReport& report);

// tls= in the log: "may?", "may:none", "!encrypt:nostarttls", "dane:halfdane", "secure/requiretls" …
std::string tls_feature(const tls::Demand& demand, TlsState tls, RequireTlsState require_tls);
// The same where only the policy is known, and before the server is asked: "none", "may?".
std::string tls_wish(tls::Level level);
}
