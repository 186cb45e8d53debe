// What a destination's TLS policy comes to: tables, levels, attributes, the old per-site tables, names and
// fingerprints.
#include <gtest/gtest.h>
#include "conf/settings.h"
#include "log/log.h"
#include "tls/log_options.h"
#include "tls/match.h"
#include "tls/policy.h"

namespace {
class Policies : public testing::Test {
protected:
    void SetUp() override {
        maillog::redirect([](maillog::Level, std::string_view, std::string_view text,
                             void* me) { static_cast<Policies*>(me)->logged += std::string(text) + "\n"; },
                          this);
    }
    void TearDown() override { maillog::redirect(nullptr, nullptr); }
    tls::Policies open(const conf::Overrides& settings, bool lmtp = false) {
        auto p = tls::Policies::open(conf::Settings::defaults(settings), lmtp);
        EXPECT_TRUE(p) << p.error().reason;
        return std::move(*p);
    }
    // "level" or "!" where there is none.
    static std::string level(const tls::Policies& p, const tls::Site& site) {
        auto found = p.find(site);
        return found ? std::string(tls::name_of(found->level)) : "!" + found.error().reason;
    }
    static std::string here(const tls::Policies& p, const tls::Site& site, const std::string& host) {
        auto found = p.find(site);
        auto level = found ? p.for_host(*found, host) : found;
        return level ? std::string(tls::name_of(level->level)) : "!" + level.error().reason;
    }
    static tls::Site domain(const std::string& name) { return {name, name, true, false}; }
    static tls::Site host(const std::string& name) { return {"[" + name + "]", name, false, false}; }
    std::string logged;
};
using Names = std::vector<std::string>;

TEST_F(Policies, EveryLevelHasItsNameAndOrder) {
    for (auto name : {"none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure"})
        EXPECT_EQ(tls::name_of(*tls::parse_level(name)), name);
    EXPECT_EQ(tls::parse_level("Encrypt"), tls::Level::encrypt);
    EXPECT_FALSE(tls::parse_level("halfdane"));
    EXPECT_FALSE(tls::parse_level(""));
    EXPECT_TRUE(tls::mandatory(tls::Level::encrypt) && !tls::mandatory(tls::Level::may) &&
                !tls::mandatory(tls::Level::dane) && tls::mandatory(tls::Level::dane_only));
    EXPECT_TRUE(!tls::verified(tls::Level::encrypt) && tls::verified(tls::Level::fingerprint) &&
                tls::verified(tls::Level::half_dane));
}
TEST_F(Policies, TheOldParametersGiveTheLevelWhereTheNewOneIsEmpty) {
    conf::Overrides none{{"smtp_tls_security_level", ""}};
    auto with = [&](conf::Overrides more) {
        more.insert(more.end(), none.begin(), none.end());
        return level(open(more), domain("example.test"));
    };
    EXPECT_EQ(with({}), "none");
    EXPECT_EQ(with({{"smtp_use_tls", "yes"}}), "may");
    EXPECT_EQ(with({{"smtp_enforce_tls", "yes"}}), "verify");
    EXPECT_EQ(with({{"smtp_enforce_tls", "yes"}, {"smtp_tls_enforce_peername", "no"}}), "encrypt");
    EXPECT_EQ(level(open({{"smtp_tls_security_level", "may"}, {"smtp_enforce_tls", "yes"}}), domain("example.test")),
              "may");
    EXPECT_FALSE(tls::Policies::open(conf::Settings::defaults({{"smtp_tls_security_level", "strong"}}), false));
}
TEST_F(Policies, TablesKnowDestinationsAndTheParentsOfBareDomains) {
    auto p = open({{"smtp_tls_security_level", "may"},
                   {"smtp_tls_policy_maps",
                    "inline:{ {example.test = encrypt} {.example.test = secure} {[mx.other.test]:25 = verify} }"}});
    EXPECT_EQ(level(p, domain("example.test")), "encrypt");
    EXPECT_EQ(level(p, domain("a.b.example.test")), "secure");
    EXPECT_EQ(level(p, host("a.example.test")), "may");
    EXPECT_EQ(level(p, {"a.example.test:25", "a.example.test", false, false}), "may");
    EXPECT_EQ(level(p, {"[mx.other.test]:25", "mx.other.test", false, false}), "verify");
}
TEST_F(Policies, AttributesStandForMainCf) {
    auto p = open({{"smtp_tls_policy_maps",
                    "inline:{ {a.test = verify match=hostname:.b.test match=c.test protocols=>=TLSv1.2:!TLSv1.3 "
                    "ciphers=high exclude=MD5:aDSS servername=nexthop minbits=112 "
                    "connection_reuse=yes enable_rpk=yes} }"}});
    auto policy = *p.find(domain("a.test"));
    EXPECT_EQ(policy.match, (Names{"hostname", ".b.test", "c.test"}));
    auto demand = tls::demand_of(policy, "MX.a.test");
    EXPECT_EQ(demand.names, (Names{"mx.a.test", ".b.test", "c.test"}));
    EXPECT_EQ(demand.protocols, ">=TLSv1.2 !TLSv1.3");
    EXPECT_EQ(demand.ciphers, "high");
    EXPECT_EQ(demand.exclude, "MD5 aDSS");
    EXPECT_EQ(demand.server_name, "a.test");
    EXPECT_EQ(demand.minimum_bits, 112);
    EXPECT_TRUE(policy.connection_reuse && demand.raw_public_keys && demand.mandatory);
    EXPECT_NE(demand.identity(), tls::demand_of(policy, "other.a.test").identity());
    EXPECT_EQ(demand.identity(), tls::demand_of(policy, "mx.a.test").identity());
}
TEST_F(Policies, WhatCannotBeUnderstoodDefersAndIsNamed) {
    struct {
        const char *entry, *complaint;
    } cases[] = {
        {"strong", "invalid security level \"strong\""},
        {"encrypt match=x", "attribute \"match\" invalid at security level \"encrypt\""},
        {"verify match", "malformed attribute/value pair \"match\": missing '=' after attribute name"},
        {"may minbits=1", "attribute \"minbits\" invalid at security level \"may\""},
        {"encrypt minbits=many", "attribute \"minbits\" has bad value: \"many\""},
        {"may tafile=/x", "attribute \"tafile\" invalid at security level \"may\""},
        {"encrypt ciphers=a ciphers=b", "attribute \"ciphers\" is specified multiple times"},
        {"encrypt colour=red", "invalid attribute name: \"colour\""},
        {"encrypt policy_type=none", "attribute \"policy_type\" has bad value: \"none\""},
        {"secure policy_type=tlsa", "attribute \"policy_type\" has bad value: \"tlsa\""},
        {"secure policy_failure=dane-required", "attribute \"policy_failure\" has bad value: \"dane-required\""},
        {"secure policy_failure=sts", "attribute \"policy_failure\" has bad value: \"sts\""},
        {"secure policy_ttl=-1", "attribute \"policy_ttl\" has bad value: \"-1\""},
        {"secure policy_ttl=5m", "attribute \"policy_ttl\" has bad value: \"5m\""},
        {"secure policy_ttl=1 policy_ttl=2", "attribute \"policy_ttl\" is specified multiple times"},
        {"dane policy_type=sts", "attribute \"policy_type\" invalid at security level \"dane\""},
        {"fingerprint mx_host_pattern=a.test",
         "attribute \"mx_host_pattern\" invalid at security level \"fingerprint\""},
        {"fingerprint match=xyz", "malformed fingerprint value: xyz"},
        {"verify tafile=/nonexistent/x", "error opening trust anchor file: /nonexistent/x: No such file or directory"}};
    for (auto& c : cases) {
        logged.clear();
        auto p = open({{"smtp_tls_policy_maps", std::string("inline:{ {a.test = ") + c.entry + "} }"}});
        EXPECT_EQ(level(p, domain("a.test")), "!client TLS configuration problem") << c.entry;
        EXPECT_NE(logged.find(c.complaint), logged.npos) << c.entry << ": " << logged;
    }
}
TEST_F(Policies, TrustAnchorsThatCannotBeReadDeferOnlyWhatNeedsThem) {
    auto p = open({{"smtp_tls_trust_anchor_file", "/nonexistent/ta.pem"},
                   {"smtp_tls_security_level", "may"},
                   {"smtp_tls_policy_maps", "inline:{ {a.test = verify} {b.test = encrypt} }"}});
    EXPECT_EQ(level(p, domain("other.test")), "may");
    EXPECT_EQ(level(p, domain("b.test")), "encrypt");
    EXPECT_EQ(level(p, domain("a.test")), "!client TLS configuration problem");
    EXPECT_NE(logged.find("error opening trust anchor file: /nonexistent/ta.pem: No such file or directory"),
              logged.npos)
        << logged;
}
TEST_F(Policies, StsAttributesNameTheHostsThatMayBeUsed) {
    auto p =
        open({{"smtp_tls_policy_maps", "inline:{ {a.test = secure match=.mail.test servername=hostname policy_type=sts "
                                       "policy_domain=a.test policy_ttl=3600 mx_host_pattern=*.mail.test "
                                       "mx_host_pattern=mx.a.test policy_string=version:STSv1} }"}});
    auto policy = *p.find(domain("a.test"));
    ASSERT_TRUE(policy.sts);
    EXPECT_EQ(policy.sts->domain, "a.test");
    auto demand = tls::demand_of(*p.for_host(policy, "one.mail.test"), "one.mail.test");
    EXPECT_EQ(demand.names, (Names{"one.mail.test"}));
    EXPECT_EQ(demand.server_name, "one.mail.test");
    EXPECT_TRUE(p.for_host(policy, "mx.a.test"));
    EXPECT_FALSE(p.for_host(policy, "two.one.mail.test"));
    EXPECT_FALSE(p.for_host(policy, "mail.test"));
    auto loose = open({{"smtp_tls_enforce_sts_mx_patterns", "no"}});
    EXPECT_TRUE(loose.for_host(policy, "anything.test"));
    EXPECT_TRUE(open({{"lmtp_tls_enforce_sts_mx_patterns", "no"}}, true).for_host(policy, "anything.test"));
    EXPECT_FALSE(open({}, true).for_host(policy, "anything.test"));
}
TEST_F(Policies, StsAttributesAreKeptForReports) {
    auto p = open({{"smtp_tls_policy_maps", "inline:{ {a.test = secure {policy_string = version: STSv1} { "
                                            "policy_string = mode: enforce } policy_type=STS policy_domain=A.test "
                                            "mx_host_pattern=MX.a.test policy_failure=sts-policy-invalid} {b.test = "
                                            "may policy_type=no-policy-found} }"}});
    auto sts = (*p.find(domain("a.test"))).sts;
    ASSERT_TRUE(sts);
    EXPECT_TRUE(sts->found);
    EXPECT_EQ(sts->domain, "a.test");
    EXPECT_EQ(sts->lines, (Names{"version: STSv1", "mode: enforce"}));
    EXPECT_EQ(sts->hosts, (Names{"mx.a.test"}));
    EXPECT_EQ(sts->failure, ipc::tlsrpt::ResultType::sts_policy_invalid);
    auto none = (*p.find(domain("b.test"))).sts;
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->found);
}
TEST_F(Policies, AnAnswerIsRememberedForItsTtl) {
    auto p = open({{"smtp_tls_policy_maps", "environ:x"}});
    setenv("kept.test", "secure policy_type=sts policy_ttl=3600", 1);
    setenv("asked.test", "secure policy_type=sts", 1);
    EXPECT_EQ(level(p, domain("kept.test")) + level(p, domain("asked.test")), "securesecure");
    for (const char* name : {"kept.test", "asked.test"})
        setenv(name, "may", 1);
    EXPECT_EQ(level(p, domain("kept.test")) + level(p, domain("asked.test")), "securemay");
    for (const char* name : {"kept.test", "asked.test"})
        unsetenv(name);
}
TEST_F(Policies, PerSiteTablesCombineDestinationHostAndMainCf) {
    auto p = open({{"smtp_tls_security_level", "may"},
                   {"smtp_tls_per_site", "inline:{ {must.test = MUST} {nopeer.test = MUST_NOPEERMATCH} {none.test = "
                                         "none} {may.test = may} {odd.test = perhaps} }"}});
    EXPECT_EQ(here(p, domain("plain.test"), "mx.plain.test"), "may");
    EXPECT_EQ(here(p, domain("plain.test"), "must.test"), "verify");
    EXPECT_EQ(here(p, domain("none.test"), "must.test"), "verify");
    EXPECT_EQ(here(p, domain("none.test"), "may.test"), "none");
    EXPECT_EQ(here(p, domain("nopeer.test"), "none.test"), "encrypt");
    EXPECT_EQ(here(p, domain("odd.test"), "mx.plain.test"), "!client TLS configuration problem");
    auto strict = open({{"smtp_tls_security_level", "encrypt"},
                        {"smtp_tls_per_site", "inline:{ {none.test = NONE} {may.test = MAY} }"}});
    EXPECT_EQ(here(strict, domain("may.test"), "mx.plain.test"), "encrypt");
    EXPECT_EQ(here(strict, domain("none.test"), "mx.plain.test"), "none");
}
TEST_F(Policies, ASourceBesideTheTablesIsAskedForMayAndDaneOnly) {
    for (auto [level_here, asked] : {std::pair{"may", true}, {"dane", true}, {"encrypt", false}, {"none", false}}) {
        auto p = open({{"smtp_tls_security_level", level_here},
                       {"smtp_dns_support_level", "dnssec"},
                       {"smtp_tls_policy_maps", "inline:{ {listed.test = may} }"}});
        int count = 0;
        p.ask_also([&](const tls::Site&) -> Result<std::optional<tls::Policy>> {
            ++count;
            return std::optional(p.of_level(tls::Level::secure));
        });
        auto found = *p.find(domain("other.test"));
        EXPECT_EQ(count, asked ? 1 : 0) << level_here;
        EXPECT_EQ(found.level, level_here == std::string("may") ? tls::Level::secure : *tls::parse_level(level_here));
        EXPECT_EQ(found.without_tlsa != nullptr, level_here == std::string("dane"));
        EXPECT_EQ(level(p, domain("listed.test")), "may");
    }
}
TEST(Match, StrategiesBecomeNames) {
    EXPECT_EQ(tls::expected_names({"nexthop", "dot-nexthop", "hostname", "X.test", ".Y.test", "hostname"},
                                  "Example.test", "mx.example.test."),
              (Names{"example.test", ".example.test", "mx.example.test", "x.test", ".y.test"}));
    EXPECT_EQ(tls::expected_names({"nexthop", "dot-nexthop"}, "", "mx.test"), Names());
}
TEST(Match, FingerprintsComeWithAndWithoutColons) {
    EXPECT_EQ(tls::parse_fingerprint("aB:0c:FF"), std::string("\xab\x0c\xff", 3));
    EXPECT_EQ(tls::parse_fingerprint("aB0cFF"), std::string("\xab\x0c\xff", 3));
    for (auto bad : {"", "a", "ab:", ":ab", "ab:c", "ab::cd", "ag", "ab-cd", "ab:cdef"})
        EXPECT_FALSE(tls::parse_fingerprint(bad)) << bad;
}
TEST(LogOptions, LevelsAndNamesMeanTheSame) {
    using namespace tls;
    EXPECT_EQ(parse_log_options("0"), log_option::none);
    EXPECT_EQ(parse_log_options("1"), parse_log_options("routine"));
    EXPECT_EQ(parse_log_options("2"), parse_log_options("debug"));
    EXPECT_EQ(parse_log_options("routine,peercert certmatch"),
              log_option::routine | log_option::peercert | log_option::certmatch);
    EXPECT_FALSE(parse_log_options("loud"));
}
}
