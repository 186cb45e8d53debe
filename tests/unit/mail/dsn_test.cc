#include "mail/dsn.h"
#include <gtest/gtest.h>
#include "mail/reply.h"

using namespace mail;

TEST(Dsn, NotifyWords) {
    EXPECT_EQ(parse_notify("success,DELAY"), notify::success | notify::delay);
    EXPECT_EQ(parse_notify("never"), notify::never);
    for (const char* bad : {"", ",", "never,delay", "success,", ",success", "x", "success,,delay"})
        EXPECT_FALSE(parse_notify(bad)) << bad;
    EXPECT_EQ(notify_text(notify::success | notify::failure | notify::delay), "SUCCESS,FAILURE,DELAY");
    EXPECT_EQ(parse_ret("hdrs"), ret::headers);
    EXPECT_FALSE(parse_ret("HDR"));
}

TEST(Dsn, XtextRoundTrip) {
    std::string all;
    for (int i = 0; i < 256; ++i)
        all += static_cast<char>(i);
    EXPECT_EQ(xtext_decode(xtext_encode(all)), all);
    EXPECT_EQ(xtext_encode("a+b=c d"), "a+2Bb+3Dc+20d");
    const std::string text = xtext_encode(all);
    for (std::size_t n = 0; n <= text.size(); ++n)
        (void)xtext_decode(text.substr(0, n));
    for (const char* bad : {"a+", "a+2", "a+2g", "a=b", "a b", "\x7f", "\xc3\xa4"})
        EXPECT_FALSE(xtext_decode(bad)) << bad;
    EXPECT_EQ(xtext_decode("\xc3\xa4", true), "\xc3\xa4");
}

TEST(Dsn, OriginalRecipients) {
    EXPECT_EQ(parse_orcpt("rfc822;a+2Bb@c", false)->text(), "rfc822;a+b@c");
    EXPECT_EQ(parse_orcpt("utf-8;\\x{E4}b@c", false)->address, "\xc3\xa4"
                                                               "b@c");
    for (const char* bad : {"", "a@b", ";a@b", "rfc822;a+0Ab", "utf-8;\\x{D800}a", "utf-8;\\x{", "r c;a"})
        EXPECT_FALSE(parse_orcpt(bad, true)) << bad;
    EXPECT_EQ(parse_orcpt("rfc822;", true)->text(), "rfc822;");  // as Postfix has it
    EXPECT_EQ(orcpt_wire({"rfc822", "a+b@c"}, false), "rfc822;a+2Bb@c");
}

TEST(Reply, ReadsWhatItWrites) {
    Reply reply = Reply::of(250, {2, 1, 0}, "one");
    reply.lines.push_back("two");
    EXPECT_EQ(reply.wire(), "250-2.1.0 one\r\n250 2.1.0 two\r\n");
    ReplyReader reader;
    EXPECT_EQ(reader.line("250-2.1.0 one"), ReplyReader::Step::more);
    EXPECT_EQ(reader.line("250 2.1.0 two"), ReplyReader::Step::done);
    const Reply back = reader.take();
    EXPECT_EQ(back.wire(), reply.wire());
    EXPECT_EQ(back.text(), "250 2.1.0 one two");
}

TEST(Reply, MalformedLinesAndLimits) {
    for (const char* bad : {"", "25", "abc", "999 x", "250x", "150 x"})
        EXPECT_EQ(ReplyReader().line(bad), ReplyReader::Step::malformed) << bad;
    ReplyReader reader(2, 8);
    EXPECT_EQ(reader.line("250-aaaaaaaaaaaaaaaa"), ReplyReader::Step::more);
    EXPECT_EQ(reader.line("550 x"), ReplyReader::Step::malformed);
    ReplyReader many(2, 1000);
    for (int i = 0; i < 1000; ++i)
        EXPECT_EQ(many.line("250-a"), ReplyReader::Step::more);
    EXPECT_EQ(many.line("250"), ReplyReader::Step::done);
    EXPECT_EQ(many.take().lines.size(), 2u);
    EXPECT_EQ(Reply::of(550, "no").status(), (EnhancedStatus{5, 0, 0}));
    EXPECT_EQ(split_status("450 4.7.1 wait a bit").text, "wait a bit");
    EXPECT_EQ(split_status("5.7.1 no").enhanced, (EnhancedStatus{5, 7, 1}));
    EXPECT_EQ(split_status("550x no").code, 0);
}
