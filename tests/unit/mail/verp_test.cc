#include "mail/verp.h"

#include <gtest/gtest.h>

TEST(Verp, TheRecipientStandsInTheSendersUserPart) {
    EXPECT_EQ(mail::verp_sender("list@a.example", "bob@b.example", "+="), "list+bob=b.example@a.example");
    EXPECT_EQ(mail::verp_sender("list@a.example", "bob@b.example", "-#"), "list-bob#b.example@a.example");
}

TEST(Verp, AMissingDelimiterIsPlusOrEquals) {
    EXPECT_EQ(mail::verp_sender("list@a.example", "bob@b.example", ""), "list+bob=b.example@a.example");
    EXPECT_EQ(mail::verp_sender("list@a.example", "bob@b.example", "-"), "list-bob=b.example@a.example");
}

TEST(Verp, AnAddressWithoutADomainHasNone) {
    EXPECT_EQ(mail::verp_sender("list", "bob@b.example", "+="), "list+bob=b.example");
    EXPECT_EQ(mail::verp_sender("list@a.example", "bob", "+="), "list+bob@a.example");
    EXPECT_EQ(mail::verp_sender("a@b@c", "d@e@f", "+="), "a@b+d@e=f@c");
}
