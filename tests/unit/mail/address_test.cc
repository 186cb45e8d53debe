#include "mail/address.h"
#include <gtest/gtest.h>
#include <chrono>
#include "mail/address_tokens.h"

using namespace mail;

TEST(Address, ExternalFormQuotesWhatNeedsIt) {
    EXPECT_EQ(to_external("joe@example.org"), "joe@example.org");
    EXPECT_EQ(to_external("a b@c"), "\"a b\"@c");
    EXPECT_EQ(to_external("a..b@c"), "\"a..b\"@c");
    EXPECT_EQ(to_external(".a@c"), "\".a\"@c");
    EXPECT_EQ(to_external("a@b@c"), "\"a@b\"@c");
    EXPECT_EQ(to_external("a\"b@c"), "\"a\\\"b\"@c");
    EXPECT_EQ(to_external("@c"), "\"\"@c");
    EXPECT_EQ(to_external("@a:b c@d"), "@a:\"b c\"@d");  // a source route
    EXPECT_EQ(to_external("@\"a:b\"c@d"), "\"@\\\"a:b\\\"c\"@d");
    EXPECT_EQ(to_external(""), "");
    EXPECT_EQ(to_external("jörg@c"), "jörg@c");
}

TEST(Address, InternalAndExternalFormsAreInverse) {
    for (const char* internal : {"joe@x", "a b@c", "a\\b@c", "a\"b@c", "a@b@c", ".x@y", "x", "a b", "@c", "(c)@d"})
        EXPECT_EQ(to_internal(to_external(internal)), internal);
    EXPECT_EQ(to_internal("\"x.y\"@z"), "x.y@z");
    EXPECT_EQ(to_internal("a\\ b@c"), "a b@c");
    EXPECT_EQ(to_internal("\"unterminated@c"), "unterminated@c");
    EXPECT_EQ(to_internal("trailing\\"), "trailing\\");
}

// What ends a line or a string elsewhere cannot get there within an address. Postfix sends blanks too.
TEST(Address, NoFormHoldsTheEndOfALine) {
    using namespace std::string_literals;
    for (const std::string& end : {"\r"s, "\n"s, "\0"s, "\r\n"s}) {
        const std::string blanks(end.size(), ' '), text = "a" + end + "b", clean = "a" + blanks + "b",
                                                   quoted = '"' + text + '"';
        EXPECT_EQ(to_external(text + "@x"), '"' + clean + "\"@x");
        EXPECT_EQ(to_external("a@x" + end + "y"), "a@x" + blanks + "y");
        EXPECT_EQ(to_internal(quoted + "@x"), clean + "@x");
        EXPECT_EQ(to_internal("a@x" + end + "y"), "a@x" + blanks + "y");
        EXPECT_EQ(path_address('<' + quoted + "@x>", true), clean + "@x");
        EXPECT_EQ(AddressList::parse(quoted + "@x, b (" + text + ") <c@[" + text + "]>").text(),
                  '"' + clean + "\"@x, b (" + clean + ") <c@[" + clean + "]>");
    }
    EXPECT_EQ(AddressList::parse("\"a\\\n b\"@x").addresses(),
              std::vector<std::string>{"\"a  b\"@x"});  // folded behind a backslash
    EXPECT_EQ(path_address("<\"a\tb\"@x>", true), "a b@x");
}

TEST(Address, PlainIsWhatRewritingLeavesAlone) {
    for (const char* plain : {"joe@example.org", "joe+x@a-b.example.org", "a.b_c=d@EXAMPLE.org", "1@2.3"})
        EXPECT_TRUE(is_plain(plain)) << plain;
    for (const char* odd :
         {"joe",      "joe@",      "@example.org",  "joe@host",      "joe@host.",      "joe@.org", ".joe@a.b",
          "joe.@a.b", "j..e@a.b",  "joe@a..b",      "-joe@a.b",      "a!b@c.d",        "a%b@c.d",  "a b@c.d",
          "a@b@c.d",  "\"a\"@c.d", "joe@[1.2.3.4]", "j\xc3\xb6@a.b", "joe@\xc3\xb6.b", ""})
        EXPECT_FALSE(is_plain(odd)) << odd;
}

TEST(Address, ExtensionIsSplitAtTheFirstOfSeveralDelimiters) {
    EXPECT_EQ(*split_extension("joe+a-b", {"+-"}).extension, "a-b");
    EXPECT_EQ(*split_extension("joe-a+b", {"+-"}).extension, "a+b");
    EXPECT_FALSE(split_extension("+joe", {"+"}).extension);
    EXPECT_FALSE(split_extension("joe+a", {""}).extension);
    EXPECT_EQ(*split_extension("joe+", {"+"}).extension, "");
    EXPECT_FALSE(split_extension("owner-list", {"-"}).extension);
    EXPECT_FALSE(split_extension("list-request", {"-"}).extension);
    EXPECT_TRUE(split_extension("owner-list", {"-", "double-bounce", false}).extension);
    EXPECT_FALSE(split_extension("double-bounce", {"-"}).extension);
    const Stripped s = strip_extension("joe+x@y", {"+"});
    EXPECT_EQ(s.address, "joe@y");
    EXPECT_EQ(s.extension, "+x");
    EXPECT_EQ(add_extension("sam@z", "+x"), "sam+x@z");
}

TEST(Address, PathsOfSmtpCommands) {
    const auto ok = [](std::string_view text, bool strict) {
        auto p = parse_path(text, strict);
        return p ? p->address + "|" + std::string(p->rest) : "bad";
    };
    EXPECT_EQ(ok("<a@b>", true), "a@b|");
    EXPECT_EQ(ok("<> SIZE=3", true), "|SIZE=3");
    EXPECT_EQ(ok("<\"a b\"@c> X", true), "a b@c|X");
    EXPECT_EQ(ok("<@r1,@r2:a@b>", true), "a@b|");
    EXPECT_EQ(ok("<a@[1.2.3.4]>", true), "a@[1.2.3.4]|");
    EXPECT_EQ(ok("<a@[IPv6:::1]>", true), "a@[IPv6:::1]|");
    EXPECT_EQ(ok("<\"a>b\"@c> Y", true), "a>b@c|Y");
    EXPECT_EQ(ok(" <a@b>", true), "bad");
    EXPECT_EQ(ok(" <a@b>", false), "a@b|");
    EXPECT_EQ(ok("a@b SIZE=1", true), "bad");
    EXPECT_EQ(ok("a@b SIZE=1", false), "a@b|SIZE=1");
    EXPECT_EQ(ok("<a (c) @b>", false), "a@b|");
    EXPECT_TRUE(balanced("<\"a>b\"@c>x"));
    for (const char* open : {"<a", "\"a", "<\\>", "<a<b>"})
        EXPECT_FALSE(balanced(open)) << open;
    EXPECT_EQ(ok("<a@b", false), "bad");
    EXPECT_EQ(ok("<a@b>\"", false), "bad");
    EXPECT_EQ(ok("x <a@b>", false), "x|<a@b>");
    EXPECT_EQ(ok("", false), "bad");
}

// As Debian's Postfix answers, strict_rfc821_envelopes=no and =yes.
TEST(Address, PathsAreReadAsPostfixReadsThem) {
    const auto read = [](std::string_view text, bool strict) { return path_address(text, strict).value_or("bad"); };
    struct {
        const char *path, *lenient, *strict;
    } cases[] = {{"<@b>", "@b", "bad"},
                 {"<@[127.0.0.1]>", "@[127.0.0.1]", "bad"},
                 {"(c)<a@b>", "a@b", "bad"},
                 {"<a:b@c.d>", "a:b@c.d", "a:b@c.d"},
                 {"< >", "", ""},
                 {"a@b.c", "a@b.c", "bad"},
                 {"a@b.c>", "a@b.c", "bad"},
                 {"<<a@b.c>>", "a@b.c", "a@b.c"},
                 {"<a@b.c>>", "a@b.c", "a@b.c"},
                 {"<a@b.c>>>", "bad", "bad"},
                 {"<<<a@b.c>>>", "bad", "bad"},
                 {"<a@b.c>x", "bad", "bad"},
                 {"<a@b.c>(c)", "a@b.c", "bad"},
                 {"\"x y\"<a@b.c>", "a@b.c", "bad"},
                 {"<x <a@b.c>>", "a@b.c", "bad"},
                 {"<@x.y,@z.w:a@b.c>", "a@b.c", "a@b.c"},
                 {"<@x.y:>", "", ""},
                 {"<@x.y:@z.w:a@b.c>", "@z.w:a@b.c", "bad"},
                 {"<@x.y a@b.c>", "bad", "bad"},
                 {"<:a@b.c>", ":a@b.c", ":a@b.c"},
                 {"<@\"a:b\":c@d.e>", "bad", "bad"},
                 {"<\"\"@c.d>", "@c.d", "bad"},
                 {"<\"a\\b\"@c.d>", "ab@c.d", "ab@c.d"},
                 {"<a.\"b c\".d@c.d>", "a.b c.d@c.d", "a.b c.d@c.d"},
                 {"<\"a\"b@c.d>", "bad", "bad"},
                 {"<a b@c.d>", "bad", "bad"},
                 {"<a\\ b@c.d>", "a b@c.d", "a b@c.d"},
                 {"<a (c)@b.c>", "a@b.c", "bad"},
                 {"<a@[1.2.3.4>", "a@[1.2.3.4]", "a@[1.2.3.4]"},
                 {"<a,b@c.d>", "bad", "bad"},
                 {"<a@b.c;>", "a@b.c", "bad"},
                 {"<g:a@b.c;>", "a@b.c", "bad"},
                 {"<g:a@b.c,d@e.f;>", "bad", "bad"},
                 {"g:;", "", "bad"},
                 {"x:<a@b.c>", "bad", "bad"},
                 {":<a@b.c>", "a@b.c", "bad"},
                 {"x:<a@b.c>;", "a@b.c", "bad"},
                 {"<,a@b.c,>", "a@b.c", "bad"},
                 {"<a(@b.c>", "a", "bad"},
                 {"<a)@b.c>", "a)@b.c", "a)@b.c"},
                 {"<a<b@c.d>", "a<b@c.d", "a<b@c.d"},
                 {"<a@\"b\".c>", "a@b.c", "a@b.c"},
                 {"<a\\>", "a", "a"},
                 {"<a@b.c><d@e.f>", "bad", "bad"},
                 {"<,@x.y:a@b.c>", "@x.y:a@b.c", "bad"},
                 {",", "", "bad"},
                 {"(c)", "", "bad"}};
    for (const auto& c : cases) {
        EXPECT_EQ(read(c.path, false), c.lenient) << c.path;
        EXPECT_EQ(read(c.path, true), c.strict) << c.path;
    }
    EXPECT_EQ(to_external("@z.w:a b@c"), "@z.w:\"a b\"@c");
    EXPECT_EQ(to_external("@b"), "\"\"@b");
    EXPECT_EQ(to_external(":a@b"), "\":a\"@b");
}

TEST(Address, PathsCutAnywhereNeverCrash) {
    const std::string text = "<@r1,@r2:\"a\\\" b\"@[IPv6:2001:db8::1]> SIZE=1 (c";
    for (std::size_t n = 0; n <= text.size(); ++n)
        for (bool strict : {true, false}) {
            (void)parse_path(text.substr(0, n), strict);
            (void)path_address(text.substr(0, n), strict);
        }
}

TEST(Address, HostNames) {
    for (const char* good : {"a", "mx1.example.org", "a_b.c", "xn--bcher-kva.example", "1a.2b", "3com.com"})
        EXPECT_TRUE(valid_hostname(good)) << good;
    for (const char* bad : {"", ".", "a..b", "-a.b", "a-.b", "a.b-", "1.2.3.4", "a b", "a.b.", "a,b"})
        EXPECT_FALSE(valid_hostname(bad)) << bad;
    EXPECT_FALSE(valid_hostname(std::string(64, 'a')));
    EXPECT_FALSE(valid_hostname("bücher.example"));
    EXPECT_TRUE(valid_hostname("bücher.example", true));
    EXPECT_EQ(*to_ascii_domain("bücher.example"), "xn--bcher-kva.example");
    EXPECT_EQ(*to_utf8_domain("xn--bcher-kva.example"), "bücher.example");
    EXPECT_FALSE(to_ascii_domain("\xff\xfe"));
    EXPECT_EQ(*address_literal("IPv6:::1"), "::1");
    EXPECT_FALSE(address_literal("::1"));
    EXPECT_EQ(fold_case("ÄBc"), "äbc");
}

TEST(Address, LookupKeysGoFromTheWholeToTheDomain) {
    std::string all;
    for (const LookupKey& k : lookup_keys("joe+x@dom", {"+"}, true))
        all += k.key + " ";
    EXPECT_EQ(all, "joe+x@dom joe@dom joe+x joe @dom ");
    all.clear();
    for (const LookupKey& k : lookup_keys("joe@dom", {"+"}, false))
        all += k.key + " ";
    EXPECT_EQ(all, "joe@dom @dom ");
}

namespace {
bool complete(AddressList& list) {
    return list.rewrite([](const std::string& a) -> std::optional<std::string> {
        if (a.empty())
            return {};
        const std::string internal = to_internal(a);
        return to_external(split_address(internal).domain ? internal : internal + "@mx.test");
    });
}
std::string completed(std::string_view header, std::string_view value) {
    AddressList list = AddressList::parse(value);
    complete(list);
    return list.text(header);
}
}

// The expected texts are what Postfix 3.7 made of the same headers.
TEST(AddressList, RewritesInPlaceAndFoldsAsPostfixDoes) {
    EXPECT_EQ(completed("To:", "foo (comment) , \"bar baz\" <a@b>, (x) abc"),
              "To: foo@mx.test (comment), \"bar baz\" <a@b>, abc@mx.test (x)");
    EXPECT_EQ(completed("To:", "foo bar baz@x"), "To: foo@mx.test, bar@mx.test, baz@x");
    EXPECT_EQ(completed("Cc:", "foo, bar,\n   baz (c1) ,\n \"q s\" <qq>,(pre) xx <yy>(post),zz"),
              "Cc: foo@mx.test, bar@mx.test, baz@mx.test (c1), \"q s\" <qq@mx.test>,\n\t(pre) xx <yy@mx.test>(post), "
              "zz@mx.test");
    EXPECT_EQ(completed("Reply-To:", "undisclosed:;, grp: a, b@c, d e <f>;, g"),
              "Reply-To: undisclosed: ;, grp: a@mx.test, b@c, d e <f@mx.test>;,\n\tg@mx.test");
    EXPECT_EQ(completed("Errors-To:", "<>"), "Errors-To: <>");
    EXPECT_EQ(completed("Resent-To:", "\"a b\"@foo , \"x.y\", a.b.c, u@[1.2.3.4], a..b, .x, x."),
              "Resent-To: \"a b\"@foo, x.y@mx.test, a.b.c@mx.test, u@[1.2.3.4],\n\t\"a..b\"@mx.test, \".x\"@mx.test, "
              "\"x.\"@mx.test");
    EXPECT_EQ(completed("Resent-From:", "me   (a  b)  "), "Resent-From: me@mx.test (a  b)");
    EXPECT_EQ(completed("Reply-To:", "\"unterminated"), "Reply-To: unterminated@mx.test");
    EXPECT_EQ(completed("Reply-To:", "a, b\n\t(very long comment here that goes on\n  over two lines)\n <q>,\n q"),
              "Reply-To: a@mx.test, b (very long comment here that goes on\n  over two lines) <q@mx.test>, q@mx.test");
}

// A group is one only with its ';', and '<' begins an address only where '>' ends it. What Debian's Postfix 3.7 made of
// Cc: with each text, myorigin being mx.test.
TEST(AddressList, MalformedListsAreReadAsPostfixReadsThem) {
    static constexpr struct {
        const char *list, *completed;
    } cases[] = {
#include "address_lists.inc"
    };
    for (const auto& c : cases) {
        AddressList list = AddressList::parse(c.list);
        EXPECT_EQ(complete(list) ? list.text() : c.list, c.completed) << c.list;
    }
}

TEST(AddressList, FoldsAt70) {
    EXPECT_EQ(completed("Reply-To:", "a, " + std::string(29, 'y') + ", z"),
              "Reply-To: a@mx.test, " + std::string(29, 'y') + "@mx.test, z@mx.test");
    EXPECT_EQ(completed("Reply-To:", "a, " + std::string(30, 'y') + ", z"),
              "Reply-To: a@mx.test, " + std::string(30, 'y') + "@mx.test,\n\tz@mx.test");
    EXPECT_EQ(completed("Reply-To:", "a, " + std::string(39, 'y') + ", z"),
              "Reply-To: a@mx.test, " + std::string(39, 'y') + "@mx.test,\n\tz@mx.test");
    EXPECT_EQ(completed("Reply-To:", "a, " + std::string(40, 'y') + ", z"),
              "Reply-To: a@mx.test,\n\t" + std::string(40, 'y') + "@mx.test, z@mx.test");
}

TEST(AddressList, NothingRewrittenIsNoChange) {
    AddressList list = AddressList::parse("a@b, c <d@e>");
    EXPECT_FALSE(list.rewrite([](const std::string&) { return std::optional<std::string>(); }));
    EXPECT_EQ(list.addresses(), (std::vector<std::string>{"a@b", "d@e"}));
    EXPECT_TRUE(list.rewrite([](const std::string& a) { return std::optional<std::string>(a + "x, y@z"); }));
    EXPECT_EQ(list.text(), "a@bx, y@z, c <d@ex>, <y@z>");
}

TEST(AddressList, HostileTextIsBounded) {
    const std::string text = "a (b \\) c [1.2 \"q\\\" <x@y> grp: (((( ,, ; : <@a,@b:c@d> > < \\";
    for (std::size_t n = 0; n <= text.size(); ++n) {
        AddressList list = AddressList::parse(text.substr(0, n));
        (void)completed("To:", text.substr(0, n));
        (void)list.addresses();
    }
    EXPECT_EQ(AddressList::parse(std::string(100000, ','), 100).addresses().size(), 0u);
    EXPECT_EQ(AddressList::parse(std::string(200000, '(')).addresses().size(), 0u);
    for (const char* piece : {">", "<", "a>", "(c)>", ";:", "a:", "\"", "[", "\\", "a b:;"}) {
        std::string repeated;
        for (int i = 0; i < 200000; ++i)
            repeated += piece;
        const auto begin = std::chrono::steady_clock::now();
        (void)AddressList::parse(repeated).text();
        EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20))
            << piece;  // a quadratic one takes hours
    }
}

// The rest of an address or of a list is never left off: a path without its domain is somebody else's.
TEST(AddressList, NothingIsLeftOffALongOne) {
    std::string dots, members;
    for (int i = 0; i < 990; ++i)
        dots += "a.";
    EXPECT_EQ(path_address("<" + dots + "b@y.test>", true), dots + "b@y.test");
    for (int i = 0; i < 50000; ++i)
        members += "a" + std::to_string(i) + "@x.y.test, ";
    const auto all = AddressList::parse(members).addresses();
    ASSERT_EQ(all.size(), 50000u);
    EXPECT_EQ(all.back(), "a49999@x.y.test");
    const AddressList few = AddressList::parse("a, b, c, d", 4);
    EXPECT_TRUE(few.cut());
    EXPECT_EQ(few.text(), "a, b,");
    EXPECT_FALSE(AddressList::parse("a, b", 3).cut());
}

// What was found by tests/fuzz/address.cc.
TEST(AddressList, WhatItWritesReadsBack) {
    using namespace std::string_literals;
    EXPECT_EQ(AddressList::parse("\"a\0b\" <x@y>"s).text(), "\"a b\" <x@y>");  // a NUL within quotes opens nothing
    EXPECT_EQ(AddressList::parse("a@[1\0]"s).text(), "a@[1 ]");
    EXPECT_EQ(AddressList::parse("a@b (c (d").text(), "a@b (c (d");
    EXPECT_EQ(AddressList::parse("\"a\\").text(), "\"a\"");
    EXPECT_EQ(AddressList::parse("a@b>.c").text(), "a@b>, .c");
}
