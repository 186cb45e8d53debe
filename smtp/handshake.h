// From the connection to the first MAIL: greeting, EHLO, HELO or LHLO, STARTTLS, and what the server offers.
#pragma once
#include <optional>
#include <string>
#include "base/error.h"
#include "peer.h"
#include "tls_policy.h"

namespace smtp {
struct Refusal {
    Error why;                    // as the log and the sender are told
    std::string diagnostic;       // the server's reply, where it gave one
    bool try_plaintext = false;   // the TLS handshake failed, and the policy lets mail go without in the end
    bool demand_not_met = false;  // REQUIRETLS alone stands against this host
};
// Nothing: ready for MAIL. report learns how TLS went.
std::optional<Refusal> shake_hands(Peer& peer, const TlsPlan& plan, bool without_tls, TlsReport& report);
}
