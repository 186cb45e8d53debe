// What smtpd (ETRN), postqueue -s/-i and qmgr/defer ask the flush service at public/flush: which deferred messages a site has.
#pragma once
#include "ipc/attributes.h"

namespace ipc {
struct FlushRequest {
    static constexpr std::string_view protocol = "flush";
    static constexpr bool repeatable = true;
    std::string request;                         // "add" site+queue_id, "send_site" site, "send_file" queue_id, "refresh", "purge"
    std::string site, queue_id;
    template <class S, class V> static void fields(S& s, V&& v) { v("request", s.request); v("site", s.site); v("queue_id", s.queue_id); }
};
struct FlushReply {
    static constexpr std::string_view protocol = "flush_done";
    enum Status : int { ok = 0, failed = 1, unknown = 2, bad = 3, denied = 4 };      // unknown: the site is not in fast_flush_domains
    int status = failed;
    template <class S, class V> static void fields(S& s, V&& v) { v("status", s.status); }
};
}
