// What clients ask trivial-rewrite at private/rewrite ($rewrite_service_name): put an address into standard form, and
// where does it go. TrivialRewrite (trivial_rewrite.h) asks.
#pragma once
#include <cstdint>
#include "ipc/attributes.h"

namespace ipc {
struct RewriteRequest {
    static constexpr std::string_view protocol = "rewrite";
    static constexpr bool repeatable = true;
    std::string rule;  // "local" (append_at_myorigin …), "remote" (remote_header_rewrite_domain), "canonicalize"…: the
                       // rewrite context
    std::string address;  // external (quoted) form
    template <class S, class V> static void fields(S& s, V&& v) {
        v("rule", s.rule);
        v("address", s.address);
    }
};
struct RewriteReply {
    static constexpr std::string_view protocol = "rewritten";
    bool failed = false;  // a table did not answer: try later
    std::string address;
    template <class S, class V> static void fields(S& s, V&& v) {
        v("failed", s.failed);
        v("address", s.address);
    }
};

enum class AddressClass : int { local = 1, virtual_alias, virtual_mailbox, relay, other };  // other: the default class
struct ResolveRequest {
    static constexpr std::string_view protocol = "resolve";
    static constexpr bool repeatable = true;
    std::string sender;   // for sender-dependent maps; "" is the null sender
    std::string address;  // internal form
    template <class S, class V> static void fields(S& s, V&& v) {
        v("sender", s.sender);
        v("address", s.address);
    }
};
// The same for an address verification probe: address_verify_* parameters decide. Answer: ResolveReply.
struct VerifyResolveRequest {
    static constexpr std::string_view protocol = "resolve_verify";
    static constexpr bool repeatable = true;
    std::string sender, address;
    template <class S, class V> static void fields(S& s, V&& v) {
        v("sender", s.sender);
        v("address", s.address);
    }
};
struct ResolveReply {
    static constexpr std::string_view protocol = "resolved";
    enum Flags : int {
        failed = 1,  // a table did not answer
        error = 2,   // the address is malformed
        routed = 4,  // %, ! or @ within the local part
        whole_domain =
            8  // the same holds for each plain address (mail::is_plain) of that domain, with itself as recipient
    };
    int flags = 0;
    AddressClass address_class = AddressClass::other;
    std::string transport, nexthop, recipient;  // recipient in internal form
    template <class S, class V> static void fields(S& s, V&& v) {
        v("flags", s.flags);
        v("class", s.address_class);
        v("transport", s.transport);
        v("nexthop", s.nexthop);
        v("recipient", s.recipient);
    }
};
}
