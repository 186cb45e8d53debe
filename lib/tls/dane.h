// DANE for SMTP (RFC 6698, 7671, 7672): which TLSA records speak for a host, and what they ask of its certificate. The
// names, MX and address records that led to the host are the caller's to judge; verification itself is verify.h's, and
// OpenSSL's.
//
// When things fail: TlsaSet::state says so. A lookup that did not end (timeout, SERVFAIL: a forged answer, perhaps) is
// `unknown`: the host is not to be talked to now. A malformed tls_dane_digests is an Error from create(): then there is
// no DANE.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "tls/context.h"
#include "tls/demand.h"

namespace tls {
// How the addresses of a host were found (with dns::Options::dnssec).
struct HostLookup {
    std::string name;            // as asked for
    std::string canonical;       // behind its CNAMEs; the same, or empty, where it has none
    bool authenticated = false;  // every record on the way to the addresses was validated
};

struct TlsaSet {
    enum class State : std::uint8_t {
        none,      // no validated records: DANE does not apply
        unusable,  // some, of which none can be used: TLS, but nobody to verify (RFC 7672, section 2.2)
        usable,
        unknown,
    };
    State state = State::none;
    std::string
        base;  // the host name under which they were found: SNI, and a name for certificates under a trust anchor
    std::vector<Tlsa> records;       // usable ones
    std::vector<std::string> texts;  // all, as "3 1 1 ABCDEF", sorted
    std::string reason;              // unknown: why
};

class Dane {
public:
    // digests: tls_dane_digests, best first, e.g. "sha512 sha256=1".
    static Result<std::shared_ptr<const Dane>> create(std::string_view digests);
    // Before any session of the context is to verify by TLSA records. An Error where the library refuses.
    Result<void> prepare(SSL_CTX* context) const;
    // Looks the records up; may wait. even_insecure: also where the addresses are not validated
    // (smtp_tls_force_insecure_host_tlsa_lookup). label: "host[address]:port", for the warnings about records that
    // cannot be used.
    TlsaSet find(const HostLookup& host, std::uint16_t port, bool even_insecure, const std::string& label) const;
    // Some record's form, by usage, selector, digests and length, without a word in the log.
    bool takes(const Tlsa& record) const;

private:
    struct Digest {
        std::uint8_t type;
        std::string name;
    };
    TlsaSet find_at(const std::string& base, std::uint16_t port, const std::string& label) const;
    std::vector<Digest> digests_;  // best first
    ContextPtr scratch_;           // for trying records on
};
}
