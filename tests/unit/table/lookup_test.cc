// The orders of lookup, and the lists of main.cf.
#include <fstream>
#include <gtest/gtest.h>
#include "conf/settings.h"
#include "log/log.h"
#include "table/address_lookup.h"
#include "base/fd.h"
#include "table/local_domains.h"
#include "table/match_list.h"

namespace {
// Notes the keys it is asked for; has none.
class Recorder : public table::Table {
public:
    Recorder(std::string& asked, bool is_pattern) : Table("recorder:"), asked_(asked) { pattern_ = is_pattern; }

protected:
    Result<std::optional<std::string>> lookup(std::string_view key) override {
        asked_ += (asked_.empty() ? "" : " ") + std::string(key);
        return std::optional<std::string>();
    }
    std::string& asked_;
};

std::string order(std::string_view address, table::AddressRules rules, bool is_pattern = false) {
    std::string asked;
    auto maps = table::Maps::of("x", {std::make_shared<Recorder>(asked, is_pattern)});
    rules.is_local = [](std::string_view domain) -> Result<bool> { return domain == "here.test"; };
    rules.delimiters = "+";
    EXPECT_TRUE(table::find_address(maps, address, rules));
    return asked;
}

TEST(AddressLookup, OrdersOfTheManuals) {
    EXPECT_EQ(order("u+x@here.test", {.forms = table::forms_rewrite}), "u+x@here.test u@here.test u+x u @here.test");
    EXPECT_EQ(order("u@other.test", {.forms = table::forms_rewrite}), "u@other.test @other.test");
    EXPECT_EQ(order("u+x@a.b.test", {.forms = table::forms_access, .parents = table::Parents::bare}),
              "u+x@a.b.test u@a.b.test a.b.test b.test test u+x@ u@");
    EXPECT_EQ(order("u@a.b.test", {.forms = table::forms_transport, .parents = table::Parents::dotted}),
              "u@a.b.test a.b.test .b.test .test");
    EXPECT_EQ(order("u+x@a.test", {.forms = table::forms_sender}), "u+x@a.test u@a.test @a.test");
    EXPECT_EQ(order("u+x@here.test", {.forms = table::forms_rewrite}, true), "u+x@here.test");
    EXPECT_EQ(order("a b@other.test", {.forms = table::forms_rewrite}),
              "\"a b\"@other.test a b@other.test @other.test");
    EXPECT_EQ(order("", {.forms = table::forms_rewrite}), "");
}
TEST(AddressLookup, TellsTheExtensionThatDidNotMatch) {
    auto maps = table::Maps::open("x", "inline:{u@d.test=v}");
    auto found = table::find_address(maps, "U+Ext@d.test", {.delimiters = "+"});
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->extension, "+Ext");
    EXPECT_EQ((*found)->value, "v");
}
TEST(AddressLookup, Networks) {
    std::string asked;
    auto maps = table::Maps::of("x", {std::make_shared<Recorder>(asked, false)});
    ASSERT_TRUE(table::find_network(maps, "1.2.3.4"));
    EXPECT_EQ(asked, "1.2.3.4 1.2.3 1.2 1");
    asked.clear();
    ASSERT_TRUE(table::find_network(maps, "2001:db8::5"));
    EXPECT_EQ(asked, "2001:db8::5 2001:db8: 2001:db8 2001");
}

using table::MatchList;
bool yes(const MatchList& list, std::string_view text) { return list.match(text).value(); }
TEST(MatchListTest, Strings) {
    auto list = MatchList::open("x", "a, !b.test B.test\n{c}", MatchList::Kind::strings);
    EXPECT_TRUE(yes(list, "A"));
    EXPECT_FALSE(yes(list, "b.test"));
    EXPECT_TRUE(yes(list, "c"));
    EXPECT_FALSE(yes(list, "d"));
    EXPECT_FALSE(yes(list, ""));
    EXPECT_TRUE(MatchList().empty());
}
TEST(MatchListTest, Domains) {
    auto dotted = MatchList::open("x", "a.test .b.test inline:{c.test=1, .d.test=1}", MatchList::Kind::domains);
    EXPECT_TRUE(yes(dotted, "a.test"));
    EXPECT_FALSE(yes(dotted, "x.a.test"));
    EXPECT_TRUE(yes(dotted, "x.b.test"));
    EXPECT_FALSE(yes(dotted, "b.test"));
    EXPECT_FALSE(yes(dotted, "xb.test"));
    EXPECT_TRUE(yes(dotted, "c.test"));
    EXPECT_FALSE(yes(dotted, "x.c.test"));
    EXPECT_TRUE(yes(dotted, "y.x.d.test"));
    auto bare =
        MatchList::open("x", "!no.a.test a.test inline:{c.test=1}", MatchList::Kind::domains, table::Parents::bare);
    EXPECT_TRUE(yes(bare, "x.a.test"));
    EXPECT_FALSE(yes(bare, "x.no.a.test"));
    EXPECT_TRUE(yes(bare, "y.x.c.test"));
    EXPECT_FALSE(yes(bare, "test"));
}
TEST(MatchListTest, Hosts) {
    auto list = MatchList::open("mynetworks",
                                "!10.1.0.0/16, 10.0.0.0/8 [::1] [2001:db8::]/32 client.test cidr:{{172.16.0.0/12 x}}",
                                MatchList::Kind::hosts, table::Parents::bare);
    auto at = [&](std::string_view name, std::string_view address) { return list.match(name, address).value(); };
    EXPECT_TRUE(at("", "10.2.3.4"));
    EXPECT_FALSE(at("", "10.1.3.4"));
    EXPECT_TRUE(at("", "::1"));
    EXPECT_TRUE(at("", "2001:db8:5::1"));
    EXPECT_FALSE(at("unknown", "2001:db9::1"));
    EXPECT_TRUE(at("x.client.test", "9.9.9.9"));
    EXPECT_TRUE(at("", "172.17.0.1"));
    EXPECT_FALSE(at("", "172.32.0.1"));
}
TEST(MatchListTest, NeverGuesses) {
    maillog::redirect([](maillog::Level, std::string_view, std::string_view, void*) {}, nullptr);
    auto bits = MatchList::open("mynetworks", "1.2.3.4 10.0.0.1/8", MatchList::Kind::hosts);
    EXPECT_TRUE(bits.match("", "1.2.3.4").value());
    EXPECT_FALSE(bits.match("", "9.9.9.9"));
    EXPECT_FALSE(MatchList::open("x", "/nonexistent/file", MatchList::Kind::strings).match("a"));
    EXPECT_FALSE(MatchList::open("x", "fail:x", MatchList::Kind::strings).match("a"));
    EXPECT_FALSE(MatchList::open("x", "!fail:x a", MatchList::Kind::strings).match("a"));
    maillog::redirect(nullptr, nullptr);
}
TEST(MatchListTest, Files) {
    char name[] = "/tmp/posthorn-list.XXXXXX";
    int fd = mkstemp(name);
    // As Debian's Postfix reads it: words, wherever on a line; "#" begins a comment where a word begins.
    struct Row {
        const char* text;
        std::string_view local;
    };
    for (const Row& row : {Row{"# comment\n a.test, b.test\n  c.test\n!d.test\n", "abc"},
                           {"a.test\n\n  b.test # c.test\nd.test#x e.test", "abe"},
                           {"a.test,#b.test c.test\nd.test", "ad"},
                           {"inline:{b.test=x c.test=y} a.test", "abc"},
                           {"#", ""},
                           {"", ""},
                           {"\ta.test\r\n", "a"}}) {
        std::ofstream(name) << row.text;
        auto list = MatchList::open("x", name, MatchList::Kind::domains);
        for (char c : std::string_view("abcde"))
            EXPECT_EQ(yes(list, std::string(1, c) + ".test"), row.local.find(c) != row.local.npos)
                << row.text << ": " << c;
    }
    std::ofstream(name) << "# 10.0.0.2\n10.0.0.1 # not 10.0.0.3 any more\n";
    auto hosts = MatchList::open("mynetworks", name, MatchList::Kind::hosts);
    EXPECT_TRUE(hosts.match("unknown", "10.0.0.1").value());
    EXPECT_FALSE(hosts.match("unknown", "10.0.0.3").value());
    std::ofstream(name) << "a.test, b.test\n  c.test\n#x\n!d.test\n";
    auto negated = MatchList::open("x", "!" + std::string(name) + " static:all", MatchList::Kind::domains);
    EXPECT_FALSE(yes(negated, "c.test"));
    EXPECT_TRUE(yes(negated, "e.test"));
    EXPECT_TRUE(yes(negated, "d.test"));
    unlink(name);
    UniqueFd close(fd);
}
TEST(Network, HasTheAddress) {
    EXPECT_TRUE(table::in_network("10.1.2.3", "10.0.0.0/8").value());
    EXPECT_FALSE(table::in_network("11.1.2.3", "10.0.0.0/8").value());
    EXPECT_TRUE(table::in_network("1.2.3.4", "0.0.0.0/0").value());
    EXPECT_FALSE(table::in_network("::1", "0.0.0.0/0").value());
    EXPECT_FALSE(table::in_network("10.1.2.3", "10.0.0.1/8"));
}
TEST(LocalDomainsTest, MydestinationAndLiterals) {
    auto settings = conf::Settings::defaults({{"mydestination", "here.test, localhost"},
                                              {"inet_interfaces", "127.0.0.1, ::1"},
                                              {"proxy_interfaces", "192.0.2.7"},
                                              {"myhostname", "mail.here.test"},
                                              {"myorigin", "origin.test"},
                                              {"inet_protocols", "all"}});
    auto local = table::LocalDomains::open(settings);
    EXPECT_TRUE(local.is_local("HERE.test").value());
    EXPECT_FALSE(local.is_local("x.here.test").value());
    EXPECT_TRUE(local.is_local("[127.0.0.1]").value());
    EXPECT_TRUE(local.is_local("[IPv6:::1]").value());
    EXPECT_TRUE(local.is_local("[192.0.2.7]").value());
    EXPECT_FALSE(local.is_local("[192.0.2.8]").value());
    EXPECT_FALSE(local.is_local("127.0.0.1").value());
    EXPECT_FALSE(local.is_local("origin.test").value());
    EXPECT_TRUE(local.rewrites_bare("Origin.test").value());
}
}
