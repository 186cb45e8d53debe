#include "requiretls.h"
#include <gtest/gtest.h>
#include "handshake.h"
#include "log/log.h"

using smtp::RequireTls;
using smtp::RequireTlsPolicy;

TEST(RequireTlsPolicy, FirstItemThatKnowsTheNexthopDecides) {
    auto p = RequireTlsPolicy::open("smtp_requiretls_policy",
                                    "inline:{ {example.org = disable}, {.example.org = opportunistic+starttls} }, "
                                    "cidr:{ {10.0.0.0/8 opportunistic} }, enforce");
    EXPECT_EQ(p.find("example.org"), RequireTls::no);
    EXPECT_EQ(p.find("mx.example.org"), RequireTls::with_starttls);
    EXPECT_EQ(p.find("10.1.2.3"), RequireTls::opportunistic);
    EXPECT_EQ(p.find("192.0.2.1"), RequireTls::enforce);
    EXPECT_EQ(p.find("other.test"), RequireTls::enforce);
}
TEST(RequireTlsPolicy, EnforceWhereNothingIsSaid) {
    EXPECT_EQ(RequireTlsPolicy::open("p", "").find("a.test"), RequireTls::enforce);
    EXPECT_EQ(RequireTlsPolicy::open("p", "inline:{ {b.test = disable} }").find("a.test"), RequireTls::enforce);
    EXPECT_EQ(RequireTlsPolicy::open("p", "Opportunistic").find("a.test"), RequireTls::opportunistic);
}
TEST(RequireTlsPolicy, UnknownActionsAndBrokenTablesKeepMailWaiting) {
    maillog::redirect([](maillog::Level, std::string_view, std::string_view, void*) {}, nullptr);
    for (const char* bad : {"perhaps", "static:perhaps", "fail:x, disable"}) {
        auto found = RequireTlsPolicy::open("p", bad).find("a.test");
        ASSERT_FALSE(found) << bad;
        EXPECT_TRUE(found.error().status.temporary()) << bad;
    }
    maillog::redirect(nullptr, nullptr);
}
TEST(RequireTlsPolicy, PlansThatCannotDoAreKnownBeforeAConnection) {
    smtp::TlsPlan plan;
    plan.level = plan.demand.level = tls::Level::may;
    plan.wish = "may?";
    auto objects = [&](RequireTls demand, tls::Level level) {
        smtp::TlsPlan p = plan;
        p.level = p.demand.level = level;
        p.require_tls = demand;
        auto no = smtp::objection(p, "a.test");
        return no ? p.wish : std::string();
    };
    EXPECT_EQ(objects(RequireTls::enforce, tls::Level::none), "none/!requiretls:noencryption");
    EXPECT_EQ(objects(RequireTls::with_starttls, tls::Level::none), "none/!requiretls:noencryption");
    EXPECT_EQ(objects(RequireTls::opportunistic, tls::Level::none), "");
    EXPECT_EQ(objects(RequireTls::enforce, tls::Level::may), "may/!requiretls:nocertmatch");
    EXPECT_EQ(objects(RequireTls::enforce, tls::Level::encrypt), "encrypt/!requiretls:nocertmatch");
    EXPECT_EQ(objects(RequireTls::enforce, tls::Level::half_dane), "dane/!requiretls:nocertmatch");
    EXPECT_EQ(objects(RequireTls::with_starttls, tls::Level::may), "");
    for (auto level : {tls::Level::dane, tls::Level::fingerprint, tls::Level::verify, tls::Level::secure})
        EXPECT_EQ(objects(RequireTls::enforce, level), "");
}
