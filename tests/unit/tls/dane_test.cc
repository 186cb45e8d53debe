#include "tls/dane.h"
#include <gtest/gtest.h>
#include <openssl/ssl.h>

using tls::Dane;

TEST(Dane, DigestsOfTheList) {
    for (const char* good : {"sha512 sha256", "sha256=1,sha512=2", "SHA256", "sha384=3 sha256"}) EXPECT_TRUE(Dane::create(good)) << good;
    for (const char* bad : {"", "md17", "sha384", "sha256=2", "sha256=0", "sha384=999", "sha256 sha256=1", "sha384=x"}) EXPECT_FALSE(Dane::create(bad)) << bad;
}
TEST(Dane, FingerprintChangesWithRecordsNotWithTheirOrder) {
    tls::TlsaSet a{tls::TlsaSet::State::usable, "mx.test", {std::string("\3\1\1x"), std::string("\2\0\1y")}, {}}, b = a, c = a;
    std::swap(b.records[0], b.records[1]);
    c.records.pop_back();
    EXPECT_EQ(a.fingerprint(), b.fingerprint());
    EXPECT_NE(a.fingerprint(), c.fingerprint());
    EXPECT_EQ(tls::TlsaSet{}.fingerprint(), "");
}
TEST(Dane, DigestsThatAreNotListedAreNotTaken) {
    tls::ContextPtr context(SSL_CTX_new(TLS_client_method()));
    auto dane = Dane::create("sha256");
    ASSERT_TRUE(dane);
    ASSERT_TRUE((*dane)->prepare(context.get()));
    auto accepts = [&](std::string record) {
        SSL* ssl = SSL_new(context.get());
        bool good = Dane::demand(ssl, {tls::TlsaSet::State::usable, "mx.test", {std::move(record)}, {}}, {"nexthop.test"}).has_value();
        SSL_free(ssl);
        return good;
    };
    EXPECT_TRUE(accepts(std::string("\3\1\1") + std::string(32, 'x')));
    EXPECT_FALSE(accepts(std::string("\3\1\2") + std::string(64, 'x')));
    EXPECT_FALSE(accepts(std::string("\3\1\1") + std::string(31, 'x')));
}
