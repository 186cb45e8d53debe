// What smtpd asks anvil (private/anvil, one process): how many connections a client has, and its rates within
// anvil_rate_time_unit. What was connected over a connection to anvil is disconnected at its end.
#pragma once
#include "ipc/attributes.h"

namespace ipc {
struct AnvilRequest {
    static constexpr std::string_view protocol = "anvil";
    std::string
        request;        // "connect", "disconnect", "message", "recipient", "newtls", "newtls_status", "auth", "lookup"
    std::string ident;  // "smtp:192.0.2.1": service name and client (network)
    template <class S, class V> static void fields(S& s, V&& v) {
        v("request", s.request);
        v("ident", s.ident);
    }
};
struct AnvilReply {
    static constexpr std::string_view protocol = "anvil_done";
    int count = 0, rate = 0, mail = 0, recipients = 0, newtls = 0, auth = 0;
    template <class S, class V> static void fields(S& s, V&& v) {
        v("count", s.count);
        v("rate", s.rate);
        v("mail", s.mail);
        v("rcpt", s.recipients);
        v("newtls", s.newtls);
        v("auth", s.auth);
    }
};
}
