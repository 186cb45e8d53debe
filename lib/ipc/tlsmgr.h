// What daemons with TLS ask tlsmgr (private/tlsmgr): sessions that other processes made, ticket keys, randomness.
// Octets travel as base64, since a value cannot hold a NUL.
#pragma once
#include <cstdint>
#include "ipc/attributes.h"

namespace ipc {
// cache: "smtpd", "smtp" or "lmtp". Answer to all three: TlsSessionReply.
struct TlsSessionFind {
    static constexpr std::string_view protocol = "tls_session_find";
    static constexpr bool repeatable = true;
    std::string cache, id;
    template <class S, class V> static void fields(S& s, V&& v) {
        v("cache", s.cache);
        v("id", s.id);
    }
};
struct TlsSessionSave {
    static constexpr std::string_view protocol = "tls_session_save";
    static constexpr bool repeatable = true;
    std::string cache, id, session;
    template <class S, class V> static void fields(S& s, V&& v) {
        v("cache", s.cache);
        v("id", s.id);
        v("session", s.session);
    }
};
struct TlsSessionRemove {
    static constexpr std::string_view protocol = "tls_session_remove";
    static constexpr bool repeatable = true;
    std::string cache, id;
    template <class S, class V> static void fields(S& s, V&& v) {
        v("cache", s.cache);
        v("id", s.id);
    }
};
struct TlsSessionReply {
    static constexpr std::string_view protocol = "tls_session";
    bool found = false;  // save and remove: done
    std::string session;
    template <class S, class V> static void fields(S& s, V&& v) {
        v("found", s.found);
        v("session", s.session);
    }
};
// The keys that seal session tickets, newest first.
struct TlsTicketKeysRequest {
    static constexpr std::string_view protocol = "tls_ticket_keys";
    static constexpr bool repeatable = true;
    template <class S, class V> static void fields(S&, V&&) {}
};
struct TlsTicketKey {
    std::string name, cipher_key, mac_key;  // 16, 32 and 32 octets
    std::int64_t expires = 0;               // another one seals from then on (seconds since 1970)
    template <class S, class V> static void fields(S& s, V&& v) {
        v("name", s.name);
        v("cipher_key", s.cipher_key);
        v("mac_key", s.mac_key);
        v("expires", s.expires);
    }
};
struct TlsTicketKeysReply {
    static constexpr std::string_view protocol = "tls_ticket_keys_reply";
    std::vector<TlsTicketKey> keys;
    template <class S, class V> static void fields(S& s, V&& v) { v("keys", s.keys); }
};
struct TlsSeedRequest {
    static constexpr std::string_view protocol = "tls_seed";
    static constexpr bool repeatable = true;
    std::int64_t size = 32;  // octets, at most 255
    template <class S, class V> static void fields(S& s, V&& v) { v("size", s.size); }
};
struct TlsSeedReply {
    static constexpr std::string_view protocol = "tls_seed_reply";
    std::string seed;
    template <class S, class V> static void fields(S& s, V&& v) { v("seed", s.seed); }
};
}
