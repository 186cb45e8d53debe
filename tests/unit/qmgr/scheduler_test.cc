// qmgr's scheduler: order, preemption, concurrency, blocking and waking. No files, no fibers, no clock but the given
// one.
#include <gtest/gtest.h>
#include <algorithm>
#include <ctime>
#include <memory>
#include "scheduler.h"
#include "mail/verp.h"

namespace {
using namespace qmgr;
const Time start{std::chrono::seconds(1000000)};

struct World {
    explicit World(TransportLimits limits = {}) : transport("smtp", limits) {}
    Message& message(int age_seconds = 0) {
        messages.push_back(
            std::make_unique<Message>(*mail::QueueId::parse("ABCDE" + std::to_string(messages.size() + 1))));
        messages.back()->serial = static_cast<double>(messages.size());
        messages.back()->picked = start - std::chrono::seconds(age_seconds);
        return *messages.back();
    }
    void add(Message& m, const std::string& nexthop, int count, bool single = false) {
        std::vector<queue::Recipient> recipients;
        for (int i = 0; i < count; ++i)
            recipients.emplace_back().address = "r" + std::to_string(i) + "@" + nexthop;
        transport.add(m, transport.destination(nexthop, nexthop), std::move(recipients), single);
    }
    // Number of the message whose entry is next, 0 for none; at once finished unless kept.
    int next(bool finish = true) {
        auto entry = transport.select(start);
        if (!entry)
            return 0;
        int n = static_cast<int>(entry->message->serial);
        if (finish) {
            transport.finished(*entry);
            transport.wake(*entry->destination, start);
        } else {
            under_way.push_back(std::move(entry));
        }
        return n;
    }
    void end_one() {
        auto entry = std::move(under_way.front());
        under_way.erase(under_way.begin());
        transport.finished(*entry);
        transport.wake(*entry->destination, start);
    }
    std::string sequence(int steps) {
        std::string out;
        for (int i = 0; i < steps; ++i) {
            int n = next();
            if (n == 0)
                break;
            out += static_cast<char>('0' + n);
        }
        return out;
    }
    Transport transport;
    std::vector<std::unique_ptr<Message>> messages{};
    std::vector<std::unique_ptr<Entry>> under_way{};
};

TransportLimits one_recipient_each() {
    TransportLimits limits;
    limits.destination_recipients = 1;
    limits.concurrency.most = limits.concurrency.initial = 1000;
    limits.sessions = 1000;
    return limits;
}

TEST(SchedulerTest, RecipientsOfOneDestinationShareDeliveriesUpToTheLimit) {
    World w;
    w.add(w.message(), "a.test", 120);
    std::vector<std::size_t> sizes;
    while (auto entry = w.transport.select(start)) {
        sizes.push_back(entry->recipients.size());
        w.transport.finished(*entry);
    }
    EXPECT_EQ(sizes, (std::vector<std::size_t>{50, 50, 20}));
}

TEST(SchedulerTest, MessagesGoInTheOrderTheyCame) {
    World w;
    for (int i = 0; i < 4; ++i)
        w.add(w.message(), "a.test", 1);
    EXPECT_EQ(w.sequence(10), "1234");
}

TEST(SchedulerTest, ADestinationThatIsFullBlocksOnlyItself) {
    TransportLimits limits;
    limits.concurrency.most = limits.concurrency.initial = 2;
    World w(limits);
    for (int i = 0; i < 4; ++i)
        w.add(w.message(), "full.test", 1);
    w.add(w.message(), "free.test", 1);
    EXPECT_EQ(w.next(false), 1);
    EXPECT_EQ(w.next(false), 2);
    EXPECT_EQ(w.next(false), 5);
    EXPECT_EQ(w.next(false), 0);
    w.end_one();
    EXPECT_EQ(w.next(false), 3);
    EXPECT_EQ(w.next(false), 0);
    w.end_one();
    EXPECT_EQ(w.next(false), 4);
}

TEST(SchedulerTest, SessionsOfTheServiceAreTheLimitOfAllDestinationsTogether) {
    TransportLimits limits;
    limits.sessions = 3;
    World w(limits);
    for (int i = 0; i < 5; ++i)
        w.add(w.message(), "d" + std::to_string(i), 1);
    for (int i = 0; i < 3; ++i)
        EXPECT_NE(w.next(false), 0);
    EXPECT_EQ(w.next(false), 0);
    w.end_one();
    EXPECT_EQ(w.next(false), 4);
}

TEST(SchedulerTest, SmallMailSlipsPastAMailingListInEarnedSlots) {
    World w(one_recipient_each());
    w.add(w.message(100), "list.test", 100);
    w.add(w.message(50), "b.test", 1);
    w.add(w.message(50), "c.test", 1);
    std::string order = w.sequence(30);
    EXPECT_NE(order.find('2'), order.npos) << order;
    EXPECT_NE(order.find('3'), order.npos) << order;
    EXPECT_LT(order.find('3'), 12u) << order;
}

TEST(SchedulerTest, WithoutSlotCostNothingOvertakes) {
    TransportLimits limits = one_recipient_each();
    limits.slot_cost = 0;
    World w(limits);
    w.add(w.message(100), "list.test", 30);
    w.add(w.message(50), "b.test", 1);
    EXPECT_EQ(w.sequence(40), std::string(30, '1') + "2");
}

TEST(SchedulerTest, OvertakingNeverMoreThanSlotsThatWereEarnedOrLent) {
    World w(one_recipient_each());
    w.add(w.message(1000), "list.test", 200);
    for (int i = 0; i < 200; ++i)
        w.add(w.message(1), "d" + std::to_string(i), 1);
    int list = 0, others = 0;
    while (list < 200) {
        int n = w.next();
        ASSERT_NE(n, 0);
        if (n == 1)
            ++list;
        else
            ++others;
        EXPECT_LE(others, list / 5 + 1) << list;  // a slot for each 5, and one in advance
    }
    EXPECT_GE(others, 35);
}

// A list of so many, then a small message of so many: the place at which the small one comes.
std::size_t place_of_small(TransportLimits limits, int list, int small) {
    World w(limits);
    w.add(w.message(100), "list.test", list);
    w.add(w.message(50), "small.test", small);
    return w.sequence(list + small).find('2');
}

TEST(SchedulerTest, ASlotIsEarnedByEachSlotCostOfEntries) {
    TransportLimits limits = one_recipient_each();
    limits.slot_loan = limits.slot_discount = 0;
    EXPECT_EQ(place_of_small(limits, 100, 1), 5u);
    EXPECT_EQ(place_of_small(limits, 100, 3), 15u);
    limits.slot_cost = 10;
    EXPECT_EQ(place_of_small(limits, 100, 3), 30u);
}

TEST(SchedulerTest, ALoanLetsSmallMailGoBeforeTheSlotsAreEarned) {
    TransportLimits limits = one_recipient_each();
    limits.slot_discount = 0;
    limits.slot_loan = 2;
    EXPECT_EQ(place_of_small(limits, 100, 2), 1u);
    EXPECT_EQ(place_of_small(limits, 100, 4), 10u);
}

TEST(SchedulerTest, ADiscountIsAShareOfTheSlotsThatAreNeeded) {
    TransportLimits limits = one_recipient_each();
    limits.slot_loan = 0;
    limits.slot_discount = 50;
    EXPECT_EQ(place_of_small(limits, 100, 4), 10u);
    limits.slot_discount = 100;
    EXPECT_EQ(place_of_small(limits, 100, 4), 1u);
}

TEST(SchedulerTest, AMessageThatCannotEarnTheMinimumIsNotOvertaken) {
    TransportLimits limits = one_recipient_each();
    limits.minimum_slots = 3;
    EXPECT_EQ(place_of_small(limits, 14, 1), 14u);
    EXPECT_EQ(place_of_small(limits, 15, 1), 1u);
}

TEST(SchedulerTest, OneSlowDestinationWithMostOfTheQueueDelaysNobody) {
    TransportLimits limits;
    World w(limits);
    for (int i = 0; i < 900; ++i)
        w.add(w.message(), "slow.test", 1);
    for (int i = 0; i < 100; ++i)
        w.add(w.message(), "d" + std::to_string(i), 1);
    int others = 0;
    while (auto entry = w.transport.select(start)) {
        if (entry->destination->nexthop == "slow.test") {
            w.under_way.push_back(std::move(entry));
            continue;
        }
        ++others;
        w.transport.finished(*entry);
        w.transport.wake(*entry->destination, start);
    }
    EXPECT_EQ(others, 100);
    EXPECT_EQ(w.under_way.size(), static_cast<std::size_t>(limits.concurrency.initial));
}

TEST(SchedulerTest, FiftyThousandDestinationsEachGetTheirMail) {
    World w;
    for (int i = 0; i < 50000; ++i)
        w.add(w.message(), "d" + std::to_string(i), 1);
    EXPECT_EQ(w.transport.destinations.size(), 50000u);
    int seen = 0;
    while (w.next() != 0)
        ++seen;
    EXPECT_EQ(seen, 50000);
    w.messages.clear();
    EXPECT_TRUE(w.transport.destinations.empty());
}

TEST(SchedulerTest, ATransportRateDelayHoldsAllItsDestinations) {
    World w;
    w.add(w.message(), "a.test", 1);
    w.add(w.message(), "b.test", 1);
    w.transport.not_before = start + std::chrono::seconds(3);
    EXPECT_FALSE(w.transport.select(start + std::chrono::seconds(2)));
    EXPECT_TRUE(w.transport.select(start + std::chrono::seconds(3)));
}

TEST(SchedulerTest, EveryRecipientIsSelectedExactlyOnce) {
    TransportLimits limits;
    limits.destination_recipients = 3;
    limits.concurrency.most = limits.concurrency.initial = 2;
    limits.sessions = 5;
    World w(limits);
    std::size_t total = 0, seen = 0;
    unsigned random = 12345;
    auto roll = [&](unsigned n) {
        random = random * 1664525 + 1013904223;
        return (random >> 16) % n;
    };
    for (int i = 0; i < 300; ++i) {
        Message& m = w.message(static_cast<int>(roll(1000)));
        for (unsigned d = 0, n = 1 + roll(4); d < n; ++d) {
            int count = 1 + static_cast<int>(roll(9));
            w.add(m, "d" + std::to_string(roll(20)), count);
            total += static_cast<std::size_t>(count);
        }
    }
    for (int steps = 0; steps < 100000; ++steps) {
        auto entry = roll(3) != 0 ? w.transport.select(start) : nullptr;
        if (entry) {
            seen += entry->recipients.size();
            w.under_way.push_back(std::move(entry));
            continue;
        }
        if (w.under_way.empty()) {
            if (!(entry = w.transport.select(start)))
                break;
            seen += entry->recipients.size();
            w.under_way.push_back(std::move(entry));
            continue;
        }
        w.end_one();
    }
    EXPECT_EQ(seen, total);
    EXPECT_EQ(w.transport.in_memory, 0u);
    w.messages.clear();
    EXPECT_TRUE(w.transport.destinations.empty());
}

// CPU time of n units of work and of four times as many, as a ratio: about 4 where the work is linear, 16 where each
// unit looks at all others.
template <class Work> double growth(int n, Work work) {
    auto cost = [&](int units) {
        double best = 1e9;
        for (int i = 0; i < 3; ++i) {
            const std::clock_t begin = std::clock();
            work(units);
            best = std::min(best, static_cast<double>(std::clock() - begin));
        }
        return best;
    };
    const double few = cost(n);
    return cost(4 * n) / std::max(few, 1.0);
}

TEST(SchedulerTest, ADeadTransportGivesUpItsDestinationsInTimeThatGrowsAsTheyDo) {
    EXPECT_LT(growth(5000,
                     [](int n) {
                         World w;
                         Message& m = w.message();
                         for (int i = 0; i < n; ++i)
                             w.add(m, "d" + std::to_string(i), 1);
                         std::size_t taken = 0;  // in an order that is not that of the list
                         for (auto& [key, destination] : w.transport.destinations)
                             taken += w.transport.take_all(*destination).size();
                         EXPECT_EQ(taken, static_cast<std::size_t>(n));
                         World retry;
                         for (int i = 0; i < n; ++i)
                             retry.add(m, "4.3.0 mail transport unavailable", 1);
                         EXPECT_EQ(retry.transport.destinations.begin()->second->todo,
                                   static_cast<std::size_t>(n) / 50);
                         m.jobs.clear();
                     }),
              9);
}

TEST(SchedulerTest, LargeMessagesThatNothingCanOvertakeDoNotLookAtEachOtherForEachEntry) {
    EXPECT_LT(growth(500,
                     [](int n) {
                         World w(one_recipient_each());
                         for (int i = 0; i < n; ++i)
                             w.add(w.message(), "d" + std::to_string(i), 20, true);
                         int seen = 0;
                         while (w.next() != 0)
                             ++seen;
                         EXPECT_EQ(seen, 20 * n);
                     }),
              9);
}

TEST(SchedulerTest, ASmallMessageThatComesLaterMayOvertakeToo) {
    World w(one_recipient_each());
    w.add(w.message(), "list.test", 100, true);
    w.add(w.message(), "list.test", 90, true);
    EXPECT_EQ(w.sequence(40), std::string(40, '1'));  // 2 is too large: nothing to overtake
    w.add(w.message(), "small.test", 1, true);
    EXPECT_EQ(w.sequence(1), "3");
}

TEST(SchedulerTest, ADeadDestinationGivesUpItsEntries) {
    World w;
    Message& m = w.message();
    w.add(m, "dead.test", 60);
    w.add(m, "alive.test", 1);
    Destination& dead = w.transport.destination("dead.test", "dead.test");
    dead.dead = true;
    EXPECT_EQ(w.transport.take_all(dead).size(), 2u);
    auto entry = w.transport.select(start);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->destination->nexthop, "alive.test");
}

TEST(SchedulerTest, RateDelayedDestinationsHaveOneDeliveryAtATime) {
    TransportLimits limits;
    limits.destination_rate_delay = std::chrono::seconds(10);
    World w(limits);
    w.add(w.message(), "slow.test", 1);
    w.add(w.message(), "slow.test", 1);
    auto entry = w.transport.select(start);
    ASSERT_TRUE(entry);
    EXPECT_FALSE(w.transport.select(start));
    Destination& d = *entry->destination;
    w.transport.finished(*entry);
    d.not_before = start + std::chrono::seconds(10);
    w.transport.wake(d, start + std::chrono::seconds(5));
    EXPECT_FALSE(w.transport.select(start + std::chrono::seconds(5)));
    w.transport.wake(d, start + std::chrono::seconds(10));
    EXPECT_TRUE(w.transport.select(start + std::chrono::seconds(10)));
}

TEST(FeedbackTest, TheWindowGrowsWithSuccessAndDiesOfAFailedCohort) {
    ConcurrencyLimits limits;
    Concurrency c(limits);
    EXPECT_EQ(c.window(), 5);
    for (int i = 0; i < 40; ++i)
        c.succeeded(c.window());
    EXPECT_EQ(c.window(), 20);
    int failures = 0;
    c.revive();
    while (!c.failed())
        ++failures;
    EXPECT_EQ(failures, 2);  // 1/5 + 1/3 + 1/2 > 1
    EXPECT_EQ(c.window(), 0);
    c.revive();
    EXPECT_EQ(c.window(), 5);
}

// Deliveries under way to a destination with more mail than it takes, at first and after each success (o) and failure
// (x).
std::string under_way(std::string_view outcomes, const char* positive, const char* negative, int cohorts) {
    ConcurrencyLimits limits;
    limits.positive = *Feedback::parse(positive);
    limits.negative = *Feedback::parse(negative);
    limits.failed_cohorts = cohorts;
    Concurrency c(limits);
    int busy = c.window();
    std::string text = std::to_string(busy);
    for (char outcome : outcomes) {
        --busy;
        if (outcome == 'o')
            c.succeeded(busy);
        else
            (void)c.failed();
        busy = std::max(busy, c.window());
        text += ' ' + std::to_string(busy);
    }
    return text;
}
// As counted at a server to which Debian's Postfix delivered.
TEST(FeedbackTest, TheWindowGrowsAndShrinksAsPostfixHasIt) {
    EXPECT_EQ(under_way("oooooooooooooo", "1/concurrency", "1", 1), "5 5 5 5 5 6 6 6 6 6 6 7 7 7 7");
    EXPECT_EQ(under_way("ooooooo", "0.5", "1", 1), "5 5 6 6 7 7 8 8");
    EXPECT_EQ(under_way("ooooooooo", "0.4", "1", 1), "5 5 6 6 6 7 7 8 8 8");
    EXPECT_EQ(under_way("ooooooooo", "0.7", "1", 1), "5 6 6 7 8 8 9 10 10 11");
    EXPECT_EQ(under_way("oooxxooooxxxoooooo", "1", "1", 1), "5 6 7 8 7 6 6 7 8 9 8 7 6 6 7 8 9 10 11");
    EXPECT_EQ(under_way("oooxxxxxooooxxxxxx", "1", "0.5", 3), "5 6 7 8 7 6 6 5 5 6 7 8 9 8 7 7 6 6 5");
    EXPECT_EQ(under_way("xxxxxooooxxxxxxxxxx", "1", "1/concurrency", 3), "5 4 4 4 3 3 4 5 6 7 6 6 6 6 6 5 5 5 5 5");
    EXPECT_EQ(under_way("xxxxxxx", "1", "1/concurrency", 2), "5 4 4 4 3 3 3 2");
}

TEST(FeedbackTest, AFailureNarrowsTheWindowAtOnceAndACohortOfThemByOneMore) {
    ConcurrencyLimits limits;
    limits.failed_cohorts = 100;
    limits.negative = *Feedback::parse("1/concurrency");
    Concurrency c(limits);
    for (int i = 0; i < 40; ++i)
        c.succeeded(c.window());
    ASSERT_EQ(c.window(), 20);
    EXPECT_FALSE(c.failed());
    EXPECT_EQ(c.window(), 19);
    for (int i = 0; i < 17; ++i)
        EXPECT_FALSE(c.failed());
    EXPECT_EQ(c.window(), 19);
    for (int i = 0; i < 3; ++i)
        EXPECT_FALSE(c.failed());
    EXPECT_EQ(c.window(), 18);
}

TEST(FeedbackTest, ASuccessForgivesFailedCohorts) {
    ConcurrencyLimits limits;
    limits.failed_cohorts = 2;
    Concurrency c(limits);
    int failures = 0;
    while (!c.failed())
        ++failures;
    EXPECT_EQ(failures, 3);  // of which one cohort would have died
    c.revive();
    for (int i = 0; i < 200; ++i) {
        EXPECT_FALSE(c.failed()) << i;
        c.succeeded(c.window());
    }
}

TEST(FeedbackTest, WithoutALimitOfCohortsADestinationNeverDies) {
    ConcurrencyLimits limits;
    limits.failed_cohorts = 0;
    Concurrency c(limits);
    for (int i = 0; i < 1000; ++i)
        EXPECT_FALSE(c.failed());
    EXPECT_EQ(c.window(), 1);
}

TEST(FeedbackTest, TrafficThatDoesNotFillTheWindowDoesNotWidenIt) {
    ConcurrencyLimits limits;
    Concurrency c(limits);
    for (int i = 0; i < 100; ++i)
        c.succeeded(0);
    EXPECT_EQ(c.window(), 5);
}

TEST(FeedbackTest, FractionsAreWhatTheyLookLike) {
    EXPECT_DOUBLE_EQ(Feedback::parse("1 / sqrt_concurrency")->at(16), 0.25);
    EXPECT_DOUBLE_EQ(Feedback::parse("0.5/concurrency")->at(10), 0.05);
    EXPECT_DOUBLE_EQ(Feedback::parse("0")->at(10), 0);
    for (const char* bad : {"", "2", "-1", "1/x", "a", "1/concurrency/2"})
        EXPECT_FALSE(Feedback::parse(bad)) << bad;
}

TEST(VerpTest, TheRecipientIsInTheSender) {
    EXPECT_EQ(mail::verp_sender("list@x.test", "joe@y.test", "+="), "list+joe=y.test@x.test");
    EXPECT_EQ(mail::verp_sender("list", "joe", "-%"), "list-joe");
}
}
