// From the connection to the first MAIL: greeting, EHLO, HELO or LHLO, STARTTLS, and what the server offers.
#pragma once
#include <optional>
#include <string>
#include "base/error.h"
#include "peer.h"
#include "tls/client_context.h"

namespace smtp {
// What one destination demands of TLS: main.cf's level, or its entry in smtp_tls_policy_maps.
struct TlsPolicy {
    Level level = Level::none;
    std::string level_text = "none";
    tls::Demand demand;
    std::string wish;                            // tls= before a connection says more: "may?", "none"
};
// An Error 4.7.x where the policy cannot be had or asks for more than this version does: mail stays queued.
Result<TlsPolicy> tls_policy_for(const Config& config, const Destination& destination);

struct Refusal {
    Error why;                                   // as the log and the sender are told
    std::string diagnostic;                      // the server's reply, where it gave one
    bool try_plaintext = false;                  // the TLS handshake failed, and the policy lets mail go without in the end
};
// Nothing: ready for MAIL.
std::optional<Refusal> shake_hands(Peer& peer, const TlsPolicy& policy, bool without_tls, std::string_view queue_id);
}
