// Parameters of the clients that have no test of their own as mail goes: what they do is shown elsewhere, that each
// client reads its own here.
#include "config.h"
#include <gtest/gtest.h>

namespace {
std::unique_ptr<smtp::Config> client(const conf::Settings& settings, bool is_lmtp) {
    auto config = smtp::Config::load(settings, is_lmtp);
    EXPECT_TRUE(config) << config.error().reason;
    return std::move(*config);
}

std::unique_ptr<smtp::Config> lmtp(const conf::Settings& settings) { return client(settings, true); }

TEST(SmtpConfig, ReadsThePolicyForRequireTls) {
    auto own = conf::Settings::defaults({{"smtp_requiretls_policy", "enforce"}, {"lmtp_requiretls_policy", "disable"}});
    EXPECT_EQ(client(own, false)->require_tls_policy.find("a.example"), smtp::RequireTls::enforce);
}

TEST(LmtpConfig, HasParametersOfItsOwn) {
    auto usual = conf::Settings::defaults(
        {{"smtp_requiretls_policy", "disable"}, {"smtp_tls_force_insecure_host_tlsa_lookup", "yes"}});
    EXPECT_EQ(lmtp(usual)->require_tls_policy.find("a.example"), smtp::RequireTls::opportunistic);
    EXPECT_FALSE(lmtp(usual)->force_tlsa_lookup);
    auto own = conf::Settings::defaults(
        {{"lmtp_requiretls_policy", "enforce"}, {"lmtp_tls_force_insecure_host_tlsa_lookup", "yes"}});
    EXPECT_EQ(lmtp(own)->require_tls_policy.find("a.example"), smtp::RequireTls::enforce);
    EXPECT_TRUE(lmtp(own)->force_tlsa_lookup);
}
}
