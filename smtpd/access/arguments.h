// What follows a rule's name in a list where it is more than a word: a DNS list with its filter, and how a certificate
// is looked up.
//
// When things fail: an Error that says what was expected.
#pragma once
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"

namespace smtpd {
// "domain=127.0.0.[2..11;14]": the list's domain and which answers count; no filter: every answer.
struct DnsList {
    std::string domain;
    struct Range {
        unsigned char from, to;
    };
    std::vector<Range> octets[4];  // empty octets[0]: no filter
    bool matches(std::string_view ipv4) const;
    static Result<DnsList> parse(std::string_view text);
};

// What check_ccert_access looks up, in its search_order.
enum class CertificateKey : unsigned char {
    cert_fingerprint,
    pubkey_fingerprint,
    issuer_cn,
    subject_cn,
    issuer_dn,
    subject_dn
};
// "{ type:table, { search_order = subject_dn, issuer_dn } }", or "type:table" alone.
struct CertificateSearch {
    std::string table;
    std::vector<CertificateKey> keys;
    static Result<CertificateSearch> parse(std::string_view text);
};
}
