// How far TLS and REQUIRETLS came with a host. handshake.h has what the log says of it.
#pragma once
#include <cstdint>

namespace smtp {
enum class TlsState : std::uint8_t {
    wished,      // the host has not shown yet what it can; or none is wanted
    clear,       // it offers no STARTTLS, or mail may go on without what failed
    failed,      // STARTTLS was said, and there has to be a session: none came of it
    weak,        // there is a session, with fewer bits than required
    unverified,  // there is one, and the server did not prove who it is
    secured,     // there is one that will do
};
inline bool under_tls(TlsState state) { return state >= TlsState::weak; }

enum class RequireTlsState : std::uint8_t {
    not_asked,          // or nothing came of it before something else failed
    open,               // not known yet
    passed_on,          // the server has to see to it from here
    passed_unverified,  // the same, without proof of who it is: the policy is content with that
    not_known,          // the server does not know REQUIRETLS, and the policy is content with that
    // Not met, and for this reason:
    no_encryption,  // the TLS policy allows none
    no_starttls,
    no_proof,  // of who the server is
    not_offered,
};
inline bool violated(RequireTlsState state) { return state >= RequireTlsState::no_encryption; }
}
