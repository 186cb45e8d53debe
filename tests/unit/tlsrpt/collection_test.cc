#include "collection.h"
#include <gtest/gtest.h>
#include "log/log.h"

using namespace tlsrpt;
using ipc::tlsrpt::Datagram;
using ipc::tlsrpt::PolicyType;
using ipc::tlsrpt::ResultType;

namespace {
constexpr std::int64_t midnight = 1795132800;  // 2026-11-20T00:00:00Z

Datagram session(const std::string& domain, bool failed = false, const std::string& helo = "mx.a.test") {
    Datagram d{domain,
               "v=TLSRPTv1; rua=mailto:r@" + domain,
               {{PolicyType::sts, domain, {"version: STSv1", "mode: enforce"}, {"*." + domain}, {}, failed}}};
    if (failed)
        d.policies[0].failures.push_back(
            {ResultType::certificate_expired, "192.0.2.1", "mx." + domain, helo, "192.0.2.2", "", ""});
    return d;
}

struct Warnings {
    Warnings() {
        maillog::redirect(
            [](maillog::Level level, std::string_view, std::string_view text, void* to) {
                if (level == maillog::Level::warning)
                    static_cast<Warnings*>(to)->lines.emplace_back(text);
            },
            this);
    }
    ~Warnings() { maillog::redirect(nullptr, nullptr); }
    std::vector<std::string> lines;
};
}

TEST(TlsrptCollection, SessionsOfADayAndDomainBecomeOneEntry) {
    Collection c({});
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(c.add(session("A.test"), midnight + i));
    ASSERT_TRUE(c.add(session("a.test", true), midnight + 10));
    ASSERT_TRUE(c.add(session("a.test", true), midnight + 11));
    ASSERT_TRUE(c.add(session("a.test", true, "other.a.test"), midnight + day - 1));
    ASSERT_TRUE(c.add(session("b.test"), midnight + 5));
    ASSERT_EQ(c.entries().size(), 2u);
    const Entry& e = c.entries().begin()->second;
    EXPECT_EQ(e.key(), "2026-11-20/00:00:00/a.test");
    ASSERT_EQ(e.policies.size(), 2u);  // "A.test" as pattern is another policy than "a.test"
    const PolicyCounts& p = e.policies[1];
    EXPECT_EQ(p.sessions, 3u);
    EXPECT_EQ(p.failed, 3u);
    ASSERT_EQ(p.details.size(), 2u);
    EXPECT_EQ(p.details[0].sessions, 2u);
    EXPECT_EQ(p.details[1].what.receiving_helo, "other.a.test");
    EXPECT_FALSE(e.closed());
}
TEST(TlsrptCollection, TheDayEndsAtMidnightUtc) {
    Collection c({});
    ASSERT_TRUE(c.add(session("a.test"), midnight + day - 1));
    EXPECT_TRUE(c.newly_closed().empty());
    ASSERT_TRUE(c.add(session("a.test"), midnight + day));
    EXPECT_EQ(c.newly_closed(), std::vector<std::string>{"2026-11-20/00:00:00/a.test"});
    const Entry* first = c.find("2026-11-20/00:00:00/a.test");
    ASSERT_TRUE(first);
    EXPECT_EQ(utc(first->end), "2026-11-20T23:59:59Z");
    EXPECT_EQ(first->sessions(), 1u);
    EXPECT_TRUE(c.find("2026-11-21/00:00:00/a.test"));
    // A clock that goes back does not open a day that is over.
    ASSERT_TRUE(c.add(session("a.test"), midnight + 1));
    EXPECT_EQ(c.find("2026-11-21/00:00:00/a.test")->sessions(), 2u);
    EXPECT_EQ(first->sessions(), 1u);
}
TEST(TlsrptCollection, WhatWasReportedEarlyIsNotReportedAgain) {
    Collection c({});
    ASSERT_TRUE(c.add(session("a.test"), midnight + 100));
    EXPECT_TRUE(c.close("a.test", midnight + 200));
    EXPECT_FALSE(c.close("a.test", midnight + 200));
    ASSERT_TRUE(c.add(session("a.test"), midnight + 200));
    ASSERT_EQ(c.entries().size(), 2u);
    const Entry& second = c.entries().rbegin()->second;
    EXPECT_EQ(second.begin, midnight + 201);
    EXPECT_TRUE(c.close("a.test", midnight + 200));
    EXPECT_EQ(second.end, midnight + 201);
    ASSERT_TRUE(c.add(session("a.test"), midnight + 300));
    c.turn(midnight + day);
    EXPECT_EQ(c.entries().rbegin()->second.begin, midnight + 202);
    EXPECT_EQ(c.entries().rbegin()->second.end, midnight + day - 1);
}
TEST(TlsrptCollection, BeyondItsBoundsNumbersGrowAndDescriptionsDoNot) {
    Warnings warnings;
    Collection c({.domains = 2, .details = 3});
    for (int i = 0; i < 10; ++i)
        ASSERT_TRUE(c.add(session("a.test", true, "h" + std::to_string(i) + ".test"), midnight));
    for (const char* domain : {"b.test", "c.test", "d.test"})
        ASSERT_TRUE(c.add(session(domain), midnight));
    EXPECT_EQ(c.entries().size(), 2u);
    const PolicyCounts& p = c.entries().begin()->second.policies[0];
    EXPECT_EQ(p.failed, 10u);
    EXPECT_EQ(p.details.size(), 3u);
    EXPECT_EQ(warnings.lines.size(), 2u);  // one each
    ASSERT_TRUE(c.add(session("c.test"), midnight + day));
    EXPECT_TRUE(c.find("2026-11-21/00:00:00/c.test"));
    // Policies that change with each session.
    Collection many({.bytes = 2000});
    for (int i = 0; i < 1000; ++i) {
        Datagram d = session("a.test");
        d.policies[0].strings = {"id " + std::to_string(i) + std::string(400, 'x')};
        ASSERT_TRUE(many.add(d, midnight));
    }
    EXPECT_EQ(many.entries().begin()->second.sessions(), 1000u);
    EXPECT_LE(many.entries().begin()->second.policies.size(), 5u);
    EXPECT_LT(many.entries().begin()->second.text().size(), 5000u);
    EXPECT_EQ(warnings.lines.size(), 3u);
}
TEST(TlsrptCollection, HostileTextIsClippedAndDomainsAreChecked) {
    Collection c({});
    for (const char* bad : {"a b.test", "127.0.0.1", "a\n.test", "-", "a..b"})
        EXPECT_FALSE(c.add(session(bad), midnight)) << bad;
    EXPECT_FALSE(c.add(session(std::string(300, 'a')), midnight));
    Datagram d = session("a.test", true, std::string(499, 'x') + "\xc3\xa4" + std::string(60000, 'y'));
    d.policies[0].strings.assign(5000, std::string(5000, 's'));
    d.record = "v=TLSRPTv1; rua=mailto:" + std::string(5000, 'r');
    ASSERT_TRUE(c.add(d, midnight));
    const Entry& e = c.entries().begin()->second;
    EXPECT_EQ(e.record, "");
    EXPECT_EQ(e.policies[0].strings.size(), list_limit);
    EXPECT_EQ(e.policies[0].details[0].what.receiving_helo, std::string(499, 'x'));
    EXPECT_LT(e.text().size(), 80000u);
}
TEST(TlsrptCollection, EntriesComeBackFromTheirText) {
    Collection c({});
    ASSERT_TRUE(c.add(session("a.test", true), midnight + 7));
    ASSERT_TRUE(c.add(session("b.test"), midnight + 7));
    c.close("a.test", midnight + 8);
    Entry* e = c.change("2026-11-20/00:00:00/a.test");
    e->id = "2026-11-20.0123@mx.test";
    e->due = midnight + 9;
    e->first_try = midnight + 10;
    e->tries = 2;
    e->destinations = {{"mailto:r@a.test", Outcome::sent}, {"https://a.test/", Outcome::waiting}};
    Collection again({});
    for (auto& [key, text] : c.changes()) {
        ASSERT_TRUE(text);
        auto entry = Entry::parse(*text);
        ASSERT_TRUE(entry) << *text;
        EXPECT_EQ(entry->text(), *text);
        EXPECT_EQ(entry->key(), key);
        again.load(std::move(*entry), midnight + 20);
        for (std::size_t n = 0; n < text->size(); ++n)
            EXPECT_FALSE(Entry::parse(std::string_view(*text).substr(0, n)));
        for (std::size_t n = 0; n < text->size(); ++n) {
            std::string flipped = *text;
            flipped[n] ^= 0x04;
            (void)Entry::parse(flipped);
        }
    }
    EXPECT_FALSE(c.changed());
    ASSERT_TRUE(again.add(session("b.test"), midnight + 21));
    EXPECT_EQ(again.find("2026-11-20/00:00:00/b.test")->sessions(), 2u);
    ASSERT_TRUE(again.add(session("a.test"), midnight + 21));  // the sent one is not counted into
    EXPECT_EQ(again.find("2026-11-20/00:00:00/a.test")->sessions(), 1u);
    EXPECT_EQ(again.find("2026-11-20/00:00:09/a.test")->sessions(), 1u);
    for (const char* bad :
         {"", "[]", "{}", "{\"domain\":1}", "{\"domain\":\"a.test\",\"begin\":-1}",
          "{\"domain\":\"a.test\",\"begin\":5,\"end\":4,\"id\":\"x\"}", "{\"domain\":\"a.test\",\"begin\":5,\"end\":6}",
          "{\"domain\":\"a.test\",\"begin\":9223372036854775807}", "{\"domain\":\"a.test\",\"begin\":5,\"tries\":-1}",
          "{\"domain\":\"a.test\",\"begin\":5,\"first-try\":-9223372036854775807}",
          "{\"domain\":\"a.test\",\"begin\":5,\"policies\":[1]}",
          "{\"domain\":\"a.test\",\"begin\":5,\"policies\":[{\"type\":\"sts\",\"sessions\":1,\"failed\":2}]}",
          "{\"domain\":\"a.test\",\"begin\":5,\"destinations\":[{\"uri\":\"ftp://x\",\"outcome\":\"sent\"}]}"})
        EXPECT_FALSE(Entry::parse(bad)) << bad;
}
TEST(TlsrptCollection, OldEntriesGo) {
    Collection c({});
    ASSERT_TRUE(c.add(session("a.test"), midnight));
    ASSERT_TRUE(c.add(session("b.test"), midnight));
    c.turn(midnight + day);
    c.change("2026-11-20/00:00:00/b.test")->done = true;
    (void)c.changes();
    EXPECT_TRUE(c.expire(midnight + 2 * day, 2 * day).empty());
    auto lost = c.expire(midnight + 3 * day, 2 * day);
    ASSERT_EQ(lost.size(), 1u);
    EXPECT_EQ(lost[0].domain, "a.test");
    EXPECT_TRUE(c.entries().empty());
    auto changes = c.changes();
    ASSERT_EQ(changes.size(), 2u);
    EXPECT_FALSE(changes[0].second || changes[1].second);
}
