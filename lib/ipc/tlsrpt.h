// What smtp tells a TLSRPT collector (RFC 8460) of one session: one datagram to a UNIX-domain socket, in the format of
// libtlsrpt, so that its users' collectors (tlsrpt-collectd of sys4/tlsrpt-reporter) and ours (services/tlsrpt) take
// either's. Sources: libtlsrpt's tlsrpt.h for the numbers, its doc/ for the meaning, and what tlsrpt-reporter's
// tlsrpt.py reads. A datagram is one JSON object:
//
//     {"dpv": "1",                              version of this format; a collector complains of any other
//      "d": "example.org",                      the recipient domain, lower case, ASCII
//      "pr": "v=TLSRPTv1; rua=mailto:…",        its record at _smtp._tls.example.org, which says where reports go
//      "policies": [{
//         "policy-type": 2,                     1 tlsa, 2 sts, 9 no-policy-found
//         "policy-domain": "example.org",       the domain of the MTA-STS policy; the TLSA base domain; without a
//         policy the recipient domain "policy-string": ["mode: enforce"],   lines of the MTA-STS policy, or TLSA
//         records as "3 1 1 ABCDEF"; left out where there are none "mx-host": ["*.example.org"],         host patterns
//         of the MTA-STS policy; left out where there are none "failure-details": [{"c": 202,        ResultType, a
//         number
//                              "s": "192.0.2.1", "n": "mx.example.org", "h": "mx1.example.org", "r": "192.0.2.2",
//                                               sending address; receiving host by its MX name, by its EHLO and by its
//                                               address
//                              "a": "…",        additional-information
//                              "f": "…"}],      failure-reason-code; of s to f each is left out where it is not known
//         "t": 1,                               how many failure-details there are: a collector complains where it is
//         another number "f": 1                                the session failed (1) or not (0) by this policy
//      }]}
//
// The policy without failure-details, t and f is the key under which a collector counts; with its names it goes into
// the report as it is.
//
// When things fail: encode() always makes something a collector can read: bytes that are no UTF-8 become U+FFFD, and
// what exceeds a datagram goes, policy strings and patterns first. decode() says in its Error what it could not
// understand.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"

namespace ipc::tlsrpt {
inline constexpr std::size_t datagram_limit = 64 * 1024;  // bytes; a UNIX-domain socket takes some 200 KiB by default

enum class PolicyType : std::uint16_t { tlsa = 1, sts = 2, no_policy_found = 9 };
enum class ResultType : std::uint16_t {
    starttls_not_supported = 201,
    certificate_host_mismatch = 202,
    certificate_not_trusted = 203,
    certificate_expired = 204,
    validation_failure = 205,
    sts_policy_fetch_error = 301,
    sts_policy_invalid = 302,
    sts_webpki_invalid = 303,
    tlsa_invalid = 304,
    dnssec_invalid = 305,
    dane_required = 306,
};
std::string_view name_of(PolicyType type);  // "sts"
std::string_view name_of(ResultType type);  // RFC 8460, section 4.3: "starttls-not-supported"
std::optional<PolicyType> parse_policy_type(std::string_view name);
std::optional<ResultType> parse_result_type(std::string_view name);

struct FailureDetail {
    ResultType code = ResultType::validation_failure;
    std::string sending_ip{}, receiving_mx{}, receiving_helo{}, receiving_ip{}, information{},
        reason{};  // empty: not known
    friend bool operator==(const FailureDetail&, const FailureDetail&) = default;
};

struct AppliedPolicy {
    PolicyType type = PolicyType::no_policy_found;
    std::string domain{};
    std::vector<std::string> strings{}, mx_hosts{};
    std::vector<FailureDetail> failures{};
    bool failed = false;
    friend bool operator==(const AppliedPolicy&, const AppliedPolicy&) = default;
};

struct Datagram {
    std::string domain{}, record{};
    std::vector<AppliedPolicy> policies{};
    friend bool operator==(const Datagram&, const Datagram&) = default;
};

std::string encode(const Datagram& datagram);  // ASCII, at most datagram_limit bytes
Result<Datagram> decode(std::string_view text);
}
