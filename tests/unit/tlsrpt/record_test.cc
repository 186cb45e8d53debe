#include "record.h"
#include <gtest/gtest.h>

using namespace tlsrpt;

namespace {
std::string uris(std::string_view record) {
    auto parsed = parse_record(record);
    if (!parsed)
        return "-";
    std::string list;
    for (const Uri& u : *parsed)
        list += (list.empty() ? "" : " ") + (u.mail() ? "<" + u.address + ">" : u.text);
    return list;
}
}

TEST(TlsrptRecord, TheExamplesOfTheRfc) {
    EXPECT_EQ(uris("v=TLSRPTv1;rua=mailto:reports@example.com"), "<reports@example.com>");
    EXPECT_EQ(uris("v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt"),
              "https://reporting.example.com/v1/tlsrpt");
}
TEST(TlsrptRecord, ListsExtensionsAndWhiteSpace) {
    EXPECT_EQ(uris("v=TLSRPTv1 ;\trua=mailto:a@b.test , https://c.test/x?y=z&w ,mailto:d@e.test; ext=1;"),
              "<a@b.test> https://c.test/x?y=z&w <d@e.test>");
    EXPECT_EQ(uris("v=TLSRPTv1; x-1=2; rua=MAILTO:a+tls@b.test;"), "<a+tls@b.test>");
    EXPECT_EQ(uris("v=TLSRPTv1; rua=mailto:a@b.test?subject=x"), "<a@b.test>");  // its header fields are not for us
    EXPECT_EQ(uris("v=TLSRPTv1; rua=mailto:a%2Bx@b.test"), "<a+x@b.test>");
    EXPECT_EQ(uris("v=TLSRPTv1; rua=mailto:a@b.test; rua=mailto:c@d.test"), "<a@b.test>");
    EXPECT_EQ(uris("v=TLSRPTv1; rua=mailto:a@b.test,mailto:a@b.test"), "<a@b.test>");  // once
}
TEST(TlsrptRecord, WhatIsNoneIsRefused) {
    for (const char* bad :
         {"", "v=TLSRPTv1", "v=TLSRPTv1;", "v=TLSRPTv2; rua=mailto:a@b.test", "V=TLSRPTV1; rua=mailto:a@b.test",
          "rua=mailto:a@b.test; v=TLSRPTv1", "v=TLSRPTv1; RUA=mailto:a@b.test",
          "v=TLSRPTv1; rua=", "v=TLSRPTv1; rua=ftp://a.test/", "v=TLSRPTv1; rua=http://a.test/"})
        EXPECT_EQ(uris(bad), "-") << bad;
    EXPECT_EQ(uris("v=TLSRPTv1; rua=ftp://x.test,mailto:a@b.test"), "<a@b.test>");  // one that is of use is enough
}
TEST(TlsrptRecord, NothingOfItCanBreakAHeaderOrALog) {
    for (const char* bad : {"mailto:a%0d%0aBcc:%20x@y.test",
                            "mailto:a@b.test%0a",
                            "mailto:a@b@c.test",
                            "mailto:\"a b\"@c.test",
                            "mailto:a,b@c.test",
                            "mailto:a@[127.0.0.1]",
                            "mailto:@b.test",
                            "mailto:a@",
                            "mailto:a@localhost",
                            "mailto:a%@b.test",
                            "mailto:a%zz@b.test",
                            "mailto:.a@b.test",
                            "mailto:a..b@c.test",
                            "mailto:a@b.test%00",
                            "mailto:<a@b.test>",
                            "mailto:a@b_c.test/..;",
                            "https://a.test/ b",
                            "https://a.test/\n",
                            "https://a.test/!5m",
                            "mailto:a@b.test!10m",
                            "https://a.test/\xc3\xa4",
                            "mailto:\xc3\xa4@b.test"})
        EXPECT_FALSE(parse_uri(bad)) << bad;
    EXPECT_TRUE(parse_uri("https://a.test/%0a"));
    EXPECT_FALSE(parse_uri("https://a.test/" + std::string(uri_limit, 'x')));
    EXPECT_FALSE(parse_record("v=TLSRPTv1; rua=mailto:a@b.test; x=" + std::string(record_limit, 'x')));
    std::string many = "v=TLSRPTv1; rua=mailto:a@b.test";
    for (int i = 0; i < 50; ++i)
        many += ",mailto:a" + std::to_string(i) + "@b.test";
    EXPECT_EQ(parse_record(many)->size(), destinations_limit);
    const std::string good = "v=TLSRPTv1; rua=mailto:a%2B@b.test,https://c.test/;";
    for (std::size_t n = 0; n < good.size(); ++n) {
        (void)parse_record(good.substr(0, n));
        std::string flipped = good;
        flipped[n] ^= 0x20;
        (void)parse_record(flipped);
    }
}
TEST(TlsrptRecord, TheOneOfManyTexts) {
    const std::string good = "v=TLSRPTv1; rua=mailto:a@b.test";
    EXPECT_EQ(select_record({"spf", good}), good);
    EXPECT_EQ(select_record({}), std::nullopt);
    EXPECT_EQ(select_record({good, good}), std::nullopt);
    EXPECT_EQ(select_record({"v=TLSRPTv1x; rua=mailto:a@b.test", "v=TLSRPTv1"}), std::nullopt);
}
