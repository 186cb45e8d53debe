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
TEST(RequireTlsPolicy, DemandsThatCannotBeMetAreKnownBeforeAConnection) {
    auto objects = [](RequireTls required, tls::Level level) {
        tls::Demand demand{.level = level, .policy_level = level, .require_tls = required};
        auto no = smtp::objection(demand, "a.test");
        return no ? smtp::tls_feature(demand, smtp::TlsState::wished, no->require_tls) : std::string();
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
TEST(TlsFeature, SaysHowFarTlsCameAndWhatBecameOfTheDemand) {
    using enum smtp::TlsState;
    using State = smtp::RequireTlsState;
    using tls::Level;
    auto text = [](Level policy, Level here, smtp::TlsState tls, State required, RequireTls asked = RequireTls::no) {
        return smtp::tls_feature(
            {.level = here, .mandatory = tls::mandatory(here), .policy_level = policy, .require_tls = asked}, tls,
            required);
    };
    EXPECT_EQ(text(Level::none, Level::none, wished, State::not_asked), "none");
    EXPECT_EQ(text(Level::none, Level::none, wished, State::not_known), "none/requiretls:none");
    EXPECT_EQ(text(Level::may, Level::may, wished, State::open), "may?/requiretls?");
    EXPECT_EQ(text(Level::may, Level::may, clear, State::not_asked), "may:none");
    EXPECT_EQ(text(Level::may, Level::may, clear, State::not_known), "may:none/requiretls:none");
    EXPECT_EQ(text(Level::may, Level::may, clear, State::no_starttls, RequireTls::with_starttls),
              "may/!requiretls:nostarttls");
    EXPECT_EQ(text(Level::encrypt, Level::encrypt, clear, State::not_asked), "!encrypt:nostarttls");
    EXPECT_EQ(text(Level::encrypt, Level::encrypt, failed, State::not_asked), "!encrypt");
    EXPECT_EQ(text(Level::encrypt, Level::encrypt, failed, State::open), "!encrypt/requiretls?");
    EXPECT_EQ(text(Level::secure, Level::secure, unverified, State::not_asked), "!secure:nocertmatch");
    EXPECT_EQ(text(Level::secure, Level::secure, unverified, State::no_proof), "secure/!requiretls:nocertmatch");
    EXPECT_EQ(text(Level::secure, Level::secure, secured, State::passed_on), "secure/requiretls");
    EXPECT_EQ(text(Level::secure, Level::secure, secured, State::not_offered), "secure/!requiretls:none");
    EXPECT_EQ(text(Level::dane, Level::half_dane, secured, State::not_asked), "dane:halfdane");
    EXPECT_EQ(text(Level::dane, Level::encrypt, secured, State::passed_unverified),
              "dane:encrypt/requiretls:nocertmatch");
    EXPECT_EQ(text(Level::dane_only, Level::dane, secured, State::not_asked), "dane-only");
}
