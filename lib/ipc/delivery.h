// What qmgr asks a delivery agent (private/smtp, private/local …): deliver this message to these recipients. One
// request at a time on a connection. The agent opens the queue file itself, reports every recipient (log line, bounce
// or defer service, done mark in the queue file; lib/delivery does that), and answers what qmgr's scheduler has to
// know.
#pragma once
#include <cstdint>
#include "ipc/attributes.h"

namespace ipc {
struct DeliveryRecipient {
    std::int64_t offset = 0;  // of its record in the queue file; 0: nothing to mark
    std::string address;      // internal form, after all rewriting
    std::string original;     // before rewriting; "" when unknown
    std::string orcpt;        // RFC 3461 ORCPT "rfc822;user@domain", or ""
    int notify = 0;           // mail::dsn bits (RFC 3461 NOTIFY); 0: not given
    template <class S, class V> static void fields(S& s, V&& v) {
        v("offset", s.offset);
        v("address", s.address);
        v("original", s.original);
        v("orcpt", s.orcpt);
        v("notify", s.notify);
    }
};
namespace delivery_flags {
inline constexpr int probe = 1 << 0;            // address verification (-bv): no delivery, report to verify
inline constexpr int trace = 1 << 1;            // record deliveries for a report (-v, NOTIFY=SUCCESS)
inline constexpr int connection_load = 1 << 2;  // look for a cached connection first
inline constexpr int connection_store =
    1 << 3;  // keep the connection afterwards: more mail for this destination is waiting or under way
}
struct DeliveryRequest {
    static constexpr std::string_view protocol = "deliver";
    int flags = 0;
    std::string queue_name, queue_id;             // "active", …
    std::int64_t data_offset = 0, data_size = 0;  // where the content begins, and its size
    std::string nexthop;
    std::string encoding;  // "7bit", "8bit", "" unknown
    int send_options = 0;  // mail/dsn.h: why SMTPUTF8, REQUIRETLS …
    std::string sender;
    std::string envid;                                           // RFC 3461 ENVID
    int ret = 0;                                                 // RFC 3461 RET: 0 none, 1 FULL, 2 HDRS
    std::int64_t arrival_seconds = 0, arrival_microseconds = 0;  // for delay=, delays=a
    std::int64_t active_seconds = 0, active_microseconds = 0;    // qmgr took it into the active queue: delays=a/b
    std::int64_t handoff_seconds = 0, handoff_microseconds = 0;  // qmgr sent this request: b ends
    std::string log_client_name, log_client_address, log_client_port, log_protocol_name, log_helo_name, log_ident;
    std::string sasl_method, sasl_username, sasl_sender, rewrite_context;
    std::vector<DeliveryRecipient> recipients;
    template <class S, class V> static void fields(S& s, V&& v) {
        v("flags", s.flags);
        v("queue_name", s.queue_name);
        v("queue_id", s.queue_id);
        v("offset", s.data_offset);
        v("size", s.data_size);
        v("nexthop", s.nexthop);
        v("encoding", s.encoding);
        v("send_options", s.send_options);
        v("sender", s.sender);
        v("envid", s.envid);
        v("ret", s.ret);
        v("arrival", s.arrival_seconds);
        v("arrival_us", s.arrival_microseconds);
        v("active", s.active_seconds);
        v("active_us", s.active_microseconds);
        v("handoff", s.handoff_seconds);
        v("handoff_us", s.handoff_microseconds);
        v("log_client_name", s.log_client_name);
        v("log_client_address", s.log_client_address);
        v("log_client_port", s.log_client_port);
        v("log_protocol_name", s.log_protocol_name);
        v("log_helo_name", s.log_helo_name);
        v("log_ident", s.log_ident);
        v("sasl_method", s.sasl_method);
        v("sasl_username", s.sasl_username);
        v("sasl_sender", s.sasl_sender);
        v("rewrite_context", s.rewrite_context);
        v("recipients", s.recipients);
    }
};
struct DeliveryReply {
    static constexpr std::string_view protocol = "delivery";
    bool deferred = false;  // some recipient stays in the queue
    // Set when the destination as a whole failed (no connection, refused greeting …): feedback for the scheduler.
    std::string site_status, site_reason;  // "4.4.1", "connect to …: Connection refused"
    bool last = false;                     // the agent closes this connection now: its service has a new worker
    template <class S, class V> static void fields(S& s, V&& v) {
        v("deferred", s.deferred);
        v("site_status", s.site_status);
        v("site_reason", s.site_reason);
        v("last", s.last);
    }
};
}
