#include "tls/dane.h"
#include <gtest/gtest.h>

using tls::Dane;

TEST(Dane, DigestsOfTheList) {
    for (const char* good : {"sha512 sha256", "sha256=1,sha512=2", "SHA256", "sha384=3 sha256"})
        EXPECT_TRUE(Dane::create(good)) << good;
    for (const char* bad : {"", "md17", "sha384", "sha256=2", "sha256=0", "sha384=999", "sha256 sha256=1", "sha384=x"})
        EXPECT_FALSE(Dane::create(bad)) << bad;
}
TEST(Dane, RecordsOfAFormThatCannotMatchAreNotTaken) {
    auto dane = Dane::create("sha256");
    ASSERT_TRUE(dane);
    const std::string digest(32, 'x');
    for (std::uint8_t usage : {2, 3})
        for (std::uint8_t selector : {0, 1})
            EXPECT_TRUE((*dane)->takes({usage, selector, 1, digest}));
    EXPECT_FALSE((*dane)->takes({0, 0, 1, digest}));  // PKIX-TA, PKIX-EE: not for SMTP
    EXPECT_FALSE((*dane)->takes({1, 1, 1, digest}));
    EXPECT_FALSE((*dane)->takes({3, 2, 1, digest}));
    EXPECT_FALSE((*dane)->takes({3, 1, 2, std::string(64, 'x')}));  // sha512 is not listed
    EXPECT_FALSE((*dane)->takes({3, 1, 255, digest}));              // our own, for fingerprints
    EXPECT_FALSE((*dane)->takes({3, 1, 1, digest.substr(1)}));
    EXPECT_FALSE((*dane)->takes({2, 0, 0, "no certificate"}));
}
