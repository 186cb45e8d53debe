#include <gtest/gtest.h>
#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"

TEST(EnhancedStatus, ReadsOnlyWellFormedCodes) {
    EnhancedStatus s;
    EXPECT_EQ(EnhancedStatus::parse("4.7.1 no", s), 5u);
    EXPECT_EQ(s.text(), "4.7.1");
    for (const char* bad : {"3.1.1 x", "4.7", "4.7.", "4..1", "5.1.1x", "5.1000.1", "", "5"})
        EXPECT_EQ(EnhancedStatus::parse(bad, s), 0u) << bad;
}
TEST(Bytes, Base64RoundTripsAndRefusesGarbage) {
    for (const char* text : {"", "a", "ab", "abc", "\xff\x01 d"})
        EXPECT_EQ(bytes::base64_decode(bytes::base64_encode(text)), text);
    for (const char* bad : {"a", "abc", "ab=c", "====", "ab c", "abcd===="})
        EXPECT_FALSE(bytes::base64_decode(bad)) << bad;
}
TEST(Bytes, PrintableMasksControlsAndBrokenUtf8) {
    EXPECT_EQ(bytes::escaped("a\\b\r\n\x1b\xff c"), "a\\\\b\\r\\n\\033\\377 c");
    EXPECT_EQ(bytes::printable("a\r\nb\x7f"), "a??b?");
    EXPECT_EQ(bytes::printable("gr\xc3\xbcn \xff"), "gr\xc3\xbcn ?");
    EXPECT_EQ(bytes::printable("a\x9b"
                               "31m\xff\x80"),
              "a?31m??");
    EXPECT_EQ(bytes::printable("gr\xc3\xbcn", false), "gr??n");
    EXPECT_FALSE(bytes::valid_utf8("\xc0\xaf"));
    EXPECT_FALSE(bytes::valid_utf8("\xed\xa0\x80"));
}
TEST(Bytes, SplitsOutsideBraces) {
    auto v = bytes::split_outside_braces("a, {b, c} d", ", ");
    ASSERT_EQ(v.size(), 3u);
    EXPECT_EQ(v[1], "{b, c}");
}
TEST(Time, DurationTakesOneUnit) {
    EXPECT_EQ(base::parse_duration("5m")->count(), 300);
    EXPECT_EQ(base::parse_duration("2", 'd')->count(), 172800);
    for (const char* bad : {"", "m", "5x", "1h30m", "99999999999w", " 5"})
        EXPECT_FALSE(base::parse_duration(bad)) << bad;
}
TEST(Time, DelaysShowTwoSignificantDigits) {
    EXPECT_EQ(base::delay_text(0.001), "0");
    EXPECT_EQ(base::delay_text(0.038), "0.04");
    EXPECT_EQ(base::delay_text(0.52), "0.52");
    EXPECT_EQ(base::delay_text(1.23), "1.2");
    EXPECT_EQ(base::delay_text(12.4), "12");
}
