#include "dns/dns.h"
#include <gtest/gtest.h>
#include <set>
#include "dns/host.h"
#include "dns/message.h"
#include "log/log.h"
#include "name_server.h"

using namespace std::chrono_literals;
using dns::Status;
using dns::Type;

namespace {
class Dns : public testing::Test {
protected:
    void SetUp() override {
        auto mx = [](unsigned preference, std::string_view host) {
            return NameServer::number(preference) + NameServer::name(host);
        };
        server.add("example.test", Type::mx, mx(20, "b.test"));
        server.add("example.test", Type::mx, mx(10, "a.test"));
        server.add("example.test", Type::mx, mx(20, "c.test"), 60);
        server.add("null.test", Type::mx, mx(0, ""));
        server.add("bad.test", Type::mx, mx(5, "-bad-.te st"));
        server.add("a.test", Type::a, std::string("\x7f\0\0\1", 4));
        server.add("alias.test", Type::cname, NameServer::name("hop.test"));
        server.add_to("alias.test", "hop.test", Type::cname, NameServer::name("a.test"), 5);
        server.add_to("alias.test", "a.test", Type::a, std::string("\x7f\0\0\1", 4));
        server.add("lone.test", Type::cname, NameServer::name("a.test"));
        server.add("ring.test", Type::cname, NameServer::name("ring2.test"));
        server.add("ring2.test", Type::cname, NameServer::name("ring.test"));
        server.add("txt.test", Type::txt, std::string("\5hello\6 world"));
        server.add("cut.test", Type::a, "\x7f");
        server.fail("servfail.test", 2);
        server.add("short.search.test", Type::a, std::string("\x7f\0\0\2", 4));
        server.add("1.0.0.127.in-addr.arpa", Type::ptr, NameServer::name("a.test"));
        server.add("2.0.0.127.in-addr.arpa", Type::ptr, NameServer::name("a.test"));
        server.add("3.0.0.127.in-addr.arpa", Type::ptr, NameServer::name("nowhere.test"));
        server.add("4.0.0.127.in-addr.arpa", Type::ptr, NameServer::name("servfail.test"));
        server.add("5.0.0.127.in-addr.arpa", Type::ptr, NameServer::name("10.0.0.1"));
        server.fail("6.0.0.127.in-addr.arpa", 2);
        server.add("signed.test", Type::a, std::string("\x7f\0\0\1", 4));
        server.add("signed-alias.test", Type::cname, NameServer::name("signed.test"));
        server.add("signed-out.test", Type::cname, NameServer::name("a.test"));
        dns::open();
        maillog::redirect([](maillog::Level, std::string_view, std::string_view text,
                             void* me) { static_cast<Dns*>(me)->logged += std::string(text) + "\n"; },
                          this);
    }
    void TearDown() override {
        dns::close();
        dns::set_reply_filter({});
        ASSERT_TRUE(dns::set_dnssec_probe(""));
        maillog::redirect(nullptr, nullptr);
    }
    // Runs body blocking, and in a fiber.
    template <class F> void both(F body) {
        body();
        loop::Loop l;
        l.spawn(body);
        l.run();
        dns::close();
    }
    NameServer server;
    std::string logged;
};
}

TEST_F(Dns, SortsMailExchangersByPreference) {
    both([] {
        auto a = dns::query("example.test", Type::mx);
        ASSERT_TRUE(a) << a.reason;
        ASSERT_EQ(a.records.size(), 3u);
        EXPECT_EQ(a.records[0].value, "a.test");
        EXPECT_EQ(a.records[0].text(), "example.test. 300 IN MX 10 a.test.");
        EXPECT_EQ(a.records[2].preference, 20);
        EXPECT_EQ(a.ttl, 60u);
    });
}
TEST_F(Dns, ShufflesEqualPreferences) {
    std::set<std::string> second;
    for (int i = 0; i < 100 && second.size() < 2; ++i)
        second.insert(dns::query("example.test", Type::mx).records[1].value);
    EXPECT_EQ(second, (std::set<std::string>{"b.test", "c.test"}));
}
TEST_F(Dns, SaysHowALookupFailed) {
    both([] {
        auto none = dns::query("nope.test", Type::mx);
        EXPECT_EQ(none.status, Status::no_name);
        EXPECT_EQ(none.reason, "Name service error for name=nope.test type=MX: Host not found");
        EXPECT_EQ(dns::query("a.test", Type::mx).reason,
                  "Name service error for name=a.test type=MX: Host found but no data record of requested type");
        EXPECT_EQ(dns::query("servfail.test", Type::a).reason,
                  "Name service error for name=servfail.test type=A: Host not found, try again");
        EXPECT_EQ(dns::query("null.test", Type::mx).status, Status::null_mx);
        EXPECT_EQ(dns::query("bad.test", Type::mx).status, Status::invalid);
        EXPECT_EQ(dns::query("cut.test", Type::a).status, Status::invalid);
        EXPECT_EQ(dns::query("ring.test", Type::a).status, Status::invalid);
        EXPECT_EQ(dns::query(std::string(70, 'x') + ".test", Type::a).status, Status::no_name);
        EXPECT_EQ(dns::query("", Type::a).status, Status::no_name);
    });
}
TEST_F(Dns, FollowsAliases) {
    both([] {
        for (const char* name : {"alias.test", "lone.test", "ALIAS.test."}) {
            auto a = dns::query(name, Type::a);
            ASSERT_TRUE(a) << name << a.reason;
            EXPECT_EQ(a.canonical, "a.test");
            EXPECT_EQ(a.records.at(0).value, "127.0.0.1");
        }
        EXPECT_EQ(dns::query("alias.test", Type::a).ttl, 5u);
        EXPECT_EQ(dns::query("alias.test", Type::cname).records.at(0).value, "hop.test");
    });
}
TEST_F(Dns, JoinsTheStringsOfAText) { EXPECT_EQ(dns::query("txt.test", Type::txt).records.at(0).value, "hello world"); }
TEST_F(Dns, DeadlineEndsAQuestionThatNobodyAnswers) {
    both([] {
        auto start = loop::Clock::now();
        EXPECT_EQ(dns::query("drop.test", Type::a, {.deadline = loop::in(50ms)}).status, Status::temporary);
        EXPECT_LT(loop::Clock::now() - start, 950ms);  // before resolv.conf's own timeout of 1 s
    });
}
TEST_F(Dns, OtherFibersGoOnWhileOneWaits) {
    loop::Loop l;
    int answered = 0, dropped = 0, answered_at_first_drop = -1;
    for (int i = 0; i < 20; ++i)
        l.spawn([&] {
            dropped += dns::query("drop.test", Type::a, {.deadline = loop::in(2s)}).temporary();
            if (answered_at_first_drop < 0)
                answered_at_first_drop = answered;
        });
    for (int i = 0; i < 50; ++i)
        l.spawn([&] { answered += bool(dns::query("a.test", Type::a)); });
    l.run();
    EXPECT_EQ(answered_at_first_drop, 50);
    EXPECT_EQ(dropped, 20);
    dns::close();
}
TEST_F(Dns, CancelledFiberLeavesItsQuestionBehind) {
    loop::Loop l;
    bool left = false;
    auto& waiting = l.spawn([&] {
        struct Leave {
            bool& b;
            ~Leave() { b = true; }
        } leave{left};
        dns::query("drop.test", Type::a);
    });
    l.spawn([&] {
        loop::sleep_until(loop::in(20ms));
        loop::loop()->cancel(waiting);
        loop::yield();
        EXPECT_TRUE(left);
        EXPECT_TRUE(dns::query("a.test", Type::a));
    });
    l.run();
    dns::close();
}
TEST_F(Dns, ReplyFilterDropsRecords) {
    dns::set_reply_filter([](const dns::Record& r) { return r.value != "a.test"; });
    EXPECT_EQ(dns::query("example.test", Type::mx).records.size(), 2u);
    dns::set_reply_filter([](const dns::Record&) { return false; });
    EXPECT_EQ(dns::query("example.test", Type::mx).status, Status::filtered);
}
TEST_F(Dns, SearchListIsTriedOnlyOnRequest) {
    EXPECT_EQ(dns::query("short", Type::a).status, Status::no_name);
    EXPECT_EQ(dns::query("short", Type::a, {.search = true}).records.at(0).value, "127.0.0.2");
    EXPECT_EQ(dns::query("short", Type::a, {.own_domain = true}).records.at(0).value, "127.0.0.2");
}
TEST_F(Dns, HostsFileComesFirstInTheHostsOrderOnly) {
    EXPECT_EQ(dns::native_addresses("Filed", {}).records.at(0).value, "192.0.2.77");
    EXPECT_EQ(dns::dns_addresses("filed.test", {}).status, Status::no_name);
    EXPECT_EQ(dns::native_addresses("a.test", {}).records.at(0).value, "127.0.0.1");
    EXPECT_EQ(dns::native_addresses("nope.test", {}).reason, "Name or service not known");
    EXPECT_EQ(dns::native_addresses("servfail.test", {}).reason, "Temporary failure in name resolution");
}
TEST_F(Dns, ClientNameMustLeadBackToItsAddress) {
    auto good = dns::client_name("127.0.0.1");
    EXPECT_EQ(good.name, "a.test");
    EXPECT_EQ(good.name_status, dns::NameStatus::ok);
    EXPECT_EQ(dns::client_name("::ffff:127.0.0.1").name, "a.test");
    auto forged = dns::client_name("127.0.0.2");
    EXPECT_EQ(forged.name, "unknown");
    EXPECT_EQ(forged.reverse_name, "a.test");
    EXPECT_EQ(forged.name_status, dns::NameStatus::forged);
    EXPECT_EQ(forged.reverse_name_status, dns::NameStatus::ok);
    EXPECT_NE(logged.find("hostname a.test does not resolve to address 127.0.0.2\n"), logged.npos);
    EXPECT_EQ(dns::client_name("127.0.0.3").name_status, dns::NameStatus::permanent);
    EXPECT_NE(logged.find("hostname nowhere.test does not resolve to address 127.0.0.3: Name or service not known\n"),
              logged.npos);
    EXPECT_EQ(dns::client_name("127.0.0.4").name_status, dns::NameStatus::temporary);
    EXPECT_EQ(dns::client_name("127.0.0.5").reverse_name, "unknown");
    EXPECT_EQ(dns::client_name("127.0.0.6").reverse_name_status, dns::NameStatus::temporary);
    EXPECT_EQ(dns::client_name("127.0.0.9").reverse_name_status, dns::NameStatus::permanent);
    EXPECT_EQ(dns::client_name("192.0.2.77").reverse_name, "filed.test");
}
TEST_F(Dns, AnswerIsAuthenticOnlyWhereEveryStepIsAndOnRequest) {
    auto authentic = [](std::string_view name, Type type, bool dnssec = true) {
        return dns::query(name, type, {.dnssec = dnssec}).authenticated;
    };
    EXPECT_TRUE(authentic("signed.test", Type::a));
    EXPECT_FALSE(authentic("signed.test", Type::a, false));
    EXPECT_TRUE(authentic("signed-alias.test", Type::a));
    EXPECT_FALSE(authentic("signed-out.test", Type::a));
    EXPECT_TRUE(authentic("signed-out.test", Type::cname));  // its first step is
    EXPECT_TRUE(authentic("signed.test", Type::mx));         // a denial
    EXPECT_TRUE(authentic("no.signed.test", Type::a));
    EXPECT_FALSE(authentic("a.test", Type::a));
    EXPECT_TRUE(dns::dns_addresses("signed.test", {true, false}, {.dnssec = true}).authenticated);
    EXPECT_FALSE(dns::dns_addresses("a.test", {true, false}, {.dnssec = true}).authenticated);
}
TEST_F(Dns, ResolverThatDoesNotValidateIsNoticedOnce) {
    EXPECT_FALSE(dns::set_dnssec_probe("ns"));
    EXPECT_FALSE(dns::set_dnssec_probe("x25:."));
    ASSERT_TRUE(dns::set_dnssec_probe("a:signed.test"));
    dns::query("a.test", Type::a, {.dnssec = true});
    EXPECT_EQ(logged, "");  // the probe's answer was validated
    ASSERT_TRUE(dns::set_dnssec_probe("a:a.test"));
    dns::query("signed.test", Type::a, {.dnssec = true});
    dns::query("a.test", Type::a, {.dnssec = true});
    EXPECT_EQ(logged, "");  // no need to ask
    ASSERT_TRUE(dns::set_dnssec_probe("a:a.test"));
    both([] { dns::query("hop.test", Type::a, {.dnssec = true}); });
    EXPECT_EQ(logged, "warning: DNSSEC validation may be unavailable\nwarning: reason: dnssec_probe 'a:a.test' "
                      "received a response that is not DNSSEC validated\n");
    logged.clear();
    ASSERT_TRUE(dns::set_dnssec_probe("a:servfail.test"));
    dns::query("a.test", Type::a, {.dnssec = true});
    EXPECT_EQ(logged, "warning: DNSSEC validation may be unavailable\nwarning: reason: dnssec_probe 'a:servfail.test' "
                      "received no response: Server failure\n");
}
TEST(DnsMessage, CutAtEveryByteIsAnErrorNeverMore) {
    auto q = dns::message::question("example.test", Type::mx, true);
    ASSERT_TRUE(q);
    std::string raw = *q;
    raw[7] = 1;
    raw.resize(raw.size() - 11);  // without the OPT record
    raw[11] = 0;
    raw += NameServer::name("example.test") + std::string("\0\x0f\0\1\0\0\0\5", 8) + NameServer::number(10) +
           NameServer::number(10) + NameServer::name("a.test");
    ASSERT_TRUE(dns::message::parse(raw));
    EXPECT_EQ(dns::message::parse(raw)->answers.at(0).value, "a.test");
    for (std::size_t n = 0; n < raw.size(); ++n)
        EXPECT_FALSE(dns::message::parse(raw.substr(0, n))) << n;
    for (std::size_t n = 0; n < raw.size(); ++n) {
        std::string flipped = raw;
        flipped[n] = static_cast<char>(flipped[n] ^ 0xff);
        (void)dns::message::parse(flipped);
    }
}
TEST(DnsNames, ValidHostnames) {
    for (const char* good : {"a.b", "mx-1.example.org", "_dmarc.example.org", "1a.test", "localhost"})
        EXPECT_TRUE(dns::valid_hostname(good)) << good;
    for (const char* bad : {"", ".", "a..b", "-a.b", "a-.b", "a b.c", "1.2.3.4", "a.", "a\n.b"})
        EXPECT_FALSE(dns::valid_hostname(bad)) << bad;
}
TEST(DnsNames, ReverseNames) {
    EXPECT_EQ(dns::reverse_name("192.0.2.1"), "1.2.0.192.in-addr.arpa");
    EXPECT_EQ(dns::reverse_name("2001:db8::1"),
              "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    EXPECT_EQ(dns::reverse_name("x"), "");
}
