// What delivery agents and qmgr ask the services bounce, defer and trace (private/…, one program): remember what
// happened to a recipient, and send the report.
#pragma once
#include <cstdint>
#include "ipc/attributes.h"

namespace ipc {
// One recipient's fate; appended to bounce/ID, defer/ID or trace/ID by the service of that name. Answer: BounceReply.
struct ReportAppend {
    static constexpr std::string_view protocol = "report_append";
    std::string queue_id;
    std::int64_t offset = 0;
    std::string address, original, orcpt;
    int notify = 0;
    std::string status;  // "5.1.1"
    std::string action;  // "failed", "delayed", "delivered", "relayed", "expanded", "deliverable", "undeliverable"
    std::string reason;
    std::string diagnostic_type, diagnostic_text;  // "smtp", "550 5.1.1 …"; "x-unix", …; or ""
    std::string mta_type, mta_name;                // "dns", "mx.example.org"; or ""
    template <class S, class V> static void fields(S& s, V&& v) {
        v("queue_id", s.queue_id);
        v("offset", s.offset);
        v("address", s.address);
        v("original", s.original);
        v("orcpt", s.orcpt);
        v("notify", s.notify);
        v("status", s.status);
        v("action", s.action);
        v("reason", s.reason);
        v("diagnostic_type", s.diagnostic_type);
        v("diagnostic_text", s.diagnostic_text);
        v("mta_type", s.mta_type);
        v("mta_name", s.mta_name);
    }
};
// Send the report of what bounce/ID, defer/ID or trace/ID holds, then remove that file. Answer: BounceReply.
struct ReportSend {
    static constexpr std::string_view protocol = "report_send";
    std::string
        kind;  // "bounce" (non-delivery), "warn" (delayed; the file stays), "trace" (success, -bv, -v), "verify"
    std::string queue_name, queue_id;
    std::string encoding;
    int send_options = 0;  // mail/dsn.h: why SMTPUTF8, REQUIRETLS …
    std::string sender;    // the report's recipient; "" : a bounce of a bounce goes to postmaster
    std::string envid;
    int ret = 0;
    std::string verp;  // the message's VERP delimiters: a report of its own for each recipient; "": one for all
    template <class S, class V> static void fields(S& s, V&& v) {
        v("kind", s.kind);
        v("queue_name", s.queue_name);
        v("queue_id", s.queue_id);
        v("encoding", s.encoding);
        v("send_options", s.send_options);
        v("sender", s.sender);
        v("envid", s.envid);
        v("ret", s.ret);
        v("verp", s.verp);
    }
};
// Report one recipient at once, without a file (VERP, or notify_classes). Answer: BounceReply.
struct ReportOne {
    static constexpr std::string_view protocol = "report_one";
    ReportSend message;
    ReportAppend recipient;
    template <class S, class V> static void fields(S& s, V&& v) {
        ReportSend::fields(s.message, v);
        ReportAppend::fields(s.recipient, v);
    }
};
// Forget what defer/ID, bounce/ID or trace/ID holds.
struct ReportForget {
    static constexpr std::string_view protocol = "report_forget";
    std::string queue_id;
    template <class S, class V> static void fields(S& s, V&& v) { v("queue_id", s.queue_id); }
};
struct BounceReply {
    static constexpr std::string_view protocol = "report_done";
    bool ok = false;
    std::string reason;
    template <class S, class V> static void fields(S& s, V&& v) {
        v("ok", s.ok);
        v("reason", s.reason);
    }
};
}
