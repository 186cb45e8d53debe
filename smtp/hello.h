// What a server says of itself: its greeting, and the features in its reply to EHLO or LHLO.
#pragma once
#include <optional>
#include "base/error.h"
#include "peer.h"

namespace smtp {
// Why there is no session with a host.
struct Refusal {
    Error why;                   // as the log and the sender are told
    std::string diagnostic;      // the server's reply, where it gave one
    bool try_plaintext = false;  // the TLS handshake failed, and the policy lets mail go without in the end
    RequireTlsState require_tls = RequireTlsState::not_asked;  // violated: that alone stands against this host
};
Refusal refusal(Error why);

// The greeting, and the first hello. tls_wanted: EHLO, whatever the greeting says. Nothing: peer.features hold.
std::optional<Refusal> receive_greeting(Peer& peer, bool tls_wanted);
// One hello. greeting: null for the second, under TLS, which is never HELO.
std::optional<Refusal> say_hello(Peer& peer, const Reply* greeting, bool tls_wanted);
}
