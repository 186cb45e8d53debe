// What smtp asks the MTA-STS service (private/mta-sts, one process) of a domain that mail goes to. The answer comes
// from the cache at once; what the cache lacks, or holds for too long, the service fetches afterwards.
#pragma once
#include <string>
#include <vector>
#include "ipc/attributes.h"

namespace ipc {
struct StsRequest {
    static constexpr std::string_view protocol = "mta_sts";
    static constexpr bool repeatable = true;
    std::string domain;  // ASCII
    template <class S, class V> static void fields(S& s, V&& v) { v("domain", s.domain); }
};
struct StsReply {
    static constexpr std::string_view protocol = "mta_sts_policy";
    std::string mode{};                // "enforce", "testing", "none"; "": no policy is known
    std::vector<std::string> hosts{};  // "mx.example.org", "*.example.net"
    std::int64_t max_age = 0;          // seconds, as the domain said it
    std::string failure{};             // where no policy is known although one is announced: why, as TLSRPT names it
                                       // ("sts-policy-invalid")
    template <class S, class V> static void fields(S& s, V&& v) {
        v("mode", s.mode);
        v("hosts", s.hosts);
        v("max_age", s.max_age);
        v("failure", s.failure);
    }
};
}
