// TLS policies of tables, match strategies, fingerprints, session cache and access entries about certificates.
// uses: smtpd_core
#include "fuzz.h"
#include "access/list.h"
#include "base/bytes.h"
#include "tls/match.h"
#include "tls/policy.h"

void fuzz::one(std::string_view bytes) {
    if (auto raw = tls::parse_fingerprint(bytes)) {
        std::string hex = bytes::hex_encode(*raw, true);
        fuzz::require(tls::parse_fingerprint(hex) == raw, "a fingerprint reads back", hex);
    }
    (void)smtpd::DnsList::parse(bytes);
    (void)smtpd::CertificateSearch::parse(bytes);
    (void)tls::find_digest(std::string(bytes));
    fuzz::Choices choose(bytes);
    std::string_view pattern = choose.text();
    (void)tls::sts_pattern_matches(pattern, choose.text());
    if (bytes.find("tafile") != bytes.npos || bytes.empty() || bytes.find_first_of(",{}$") != bytes.npos)
        return;
    std::string line(bytes);
    for (char& c : line)
        if (static_cast<unsigned char>(c) < ' ')
            c = ' ';
    auto settings = conf::Settings::defaults({{"myhostname", "mx.example.test"},
                                              {"smtp_tls_policy_maps", "static:{" + line + "}"},
                                              {"tls_append_default_CA", "no"}});
    auto policies = tls::Policies::open(settings, false);
    if (!policies)
        return;
    tls::Site site{.key = "example.org", .nexthop = "example.org", .domain = true, .path = false};
    auto policy = policies->find(site);
    if (!policy) {
        fuzz::require(policy.error().status.temporary(), "a bad policy makes mail wait", policy.error().reason);
        return;
    }
    auto here = policies->for_host(*policy, "mx1.example.org");
    if (here)
        (void)tls::demand_of(*here, "mx1.example.org");
}
