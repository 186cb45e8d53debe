#include <gtest/gtest.h>
#include "reason.h"

TEST(Reason, TakesTheStatusInFront) {
    auto r = error_service::parse_reason("5.1.1 no such user", false);
    EXPECT_EQ(r.status.text(), "5.1.1");
    EXPECT_EQ(r.text, "no such user");
}
TEST(Reason, PlainTextGetsTheServicesOwnClass) {
    EXPECT_EQ(error_service::parse_reason("mailbox closed", false).status.text(), "5.0.0");
    EXPECT_EQ(error_service::parse_reason("later", true).status.text(), "4.0.0");
    EXPECT_EQ(error_service::parse_reason("5.1.1x is no status", false).text, "5.1.1x is no status");
    EXPECT_EQ(error_service::parse_reason("4.4.1 down", false).status.text(), "5.0.0");
    EXPECT_EQ(error_service::parse_reason("4.4.1 down", false).text, "down");
    EXPECT_EQ(error_service::parse_reason("5.1.1 gone", true).status.text(), "4.0.0");
}
