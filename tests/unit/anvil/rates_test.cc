#include <gtest/gtest.h>
#include "rates.h"

using namespace std::chrono_literals;

struct Rates : testing::Test {
    anvil::Rates rates{60s};
    anvil::Clock::time_point now{};
};

TEST_F(Rates, CountsConnectionsApartForEachClient) {
    EXPECT_EQ(rates.connect("smtp:192.0.2.1", now).count, 1);
    EXPECT_EQ(rates.connect("smtp:192.0.2.1", now).count, 2);
    EXPECT_EQ(rates.connect("smtp:192.0.2.2", now).count, 1);
    rates.disconnect("smtp:192.0.2.1");
    ipc::AnvilReply r = rates.count("smtp:192.0.2.1", "lookup", now);
    EXPECT_EQ(r.count, 1);
    EXPECT_EQ(r.rate, 2);
}
TEST_F(Rates, RatesBeginAnewAfterTheTimeUnitButConnectionsStay) {
    rates.connect("a", now);
    EXPECT_EQ(rates.count("a", "message", now).mail, 1);
    EXPECT_EQ(rates.count("a", "message", now + 59s).mail, 2);
    ipc::AnvilReply r = rates.count("a", "recipient", now + 60s);
    EXPECT_EQ(r.mail, 0);
    EXPECT_EQ(r.recipients, 1);
    EXPECT_EQ(r.count, 1);
}
TEST_F(Rates, LookingChangesNothing) {
    EXPECT_EQ(rates.count("nobody", "lookup", now).count, 0);
    EXPECT_EQ(rates.size(), 0u);
    rates.connect("a", now);
    rates.count("a", "newtls", now);
    EXPECT_EQ(rates.count("a", "newtls_status", now).newtls, 1);
}
TEST_F(Rates, ForgetsClientsThatAreGone) {
    rates.connect("stays", now);
    rates.connect("goes", now);
    rates.disconnect("goes");
    rates.forget_old(now + 59s);
    EXPECT_EQ(rates.size(), 2u);
    rates.forget_old(now + 60s);
    EXPECT_EQ(rates.size(), 1u);
}
TEST_F(Rates, StatisticsNameThePeaksOnce) {
    rates.connect("smtp:192.0.2.1", now);
    rates.disconnect("smtp:192.0.2.1");
    rates.connect("smtp:192.0.2.1", now);
    rates.count("smtp:192.0.2.1", "auth", now);
    std::vector<std::string> lines = rates.take_statistics();
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_TRUE(lines[0].starts_with("statistics: max connection rate 2/60s for (smtp:192.0.2.1) at ")) << lines[0];
    EXPECT_TRUE(lines[1].starts_with("statistics: max connection count 1 for (smtp:192.0.2.1) at ")) << lines[1];
    EXPECT_TRUE(lines[2].starts_with("statistics: max auth rate 1/60s for (smtp:192.0.2.1) at ")) << lines[2];
    EXPECT_TRUE(lines[3].starts_with("statistics: max cache size 1 at ")) << lines[3];
    EXPECT_TRUE(rates.take_statistics().empty());
}
