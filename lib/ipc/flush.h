// What smtpd (ETRN), postqueue -s/-i and qmgr/defer ask the flush service at public/flush: which deferred messages a
// site has. In the form of Postfix's, so that either system's postqueue asks either's service.
#pragma once
#include "ipc/attributes.h"

namespace ipc {
struct FlushRequest {
    static constexpr std::string_view protocol = "queue_flush_protocol";
    static constexpr bool repeatable = true, announced = true;
    std::string request;  // "add" site+queue_id, "send_site" site, "send_file" queue_id, "refresh", "purge"
    std::string site, queue_id;
    template <class S, class V> static void fields(S& s, V&& v) {
        v("request", s.request);
        if (s.request == "add" || s.request == "send_site")
            v("site", s.site);
        if (s.request == "add" || s.request == "send_file")
            v("queue_id", s.queue_id);
    }
};
struct FlushReply {
    static constexpr std::string_view protocol = "queue_flush_protocol";
    static constexpr bool announced = true;
    enum Status : int { ok = 0, failed = -1, bad = 3, unknown = 4 };  // unknown: the site is not in fast_flush_domains
    int status = failed;
    template <class S, class V> static void fields(S& s, V&& v) { v("status", s.status); }
};
}
