// The limits of a transport: the parameter for all transports, and that of the transport's own, which goes before.
#include <gtest/gtest.h>
#include <functional>
#include "transport_limits.h"

namespace {
using namespace qmgr;

struct Row {
    const char *of_all, *of_one, *value, *other;  // other: the transport's own value
    std::function<double(const TransportLimits&)> read;
    double expected, expected_other;
};
using L = const TransportLimits&;
double slots(L l, int n) { return l.concurrency.positive.at(n); }
double falls(L l, int n) { return l.concurrency.negative.at(n); }

const Row rows[] = {
    {"initial_destination_concurrency", "smtp_initial_destination_concurrency", "7", "8",
     [](L l) { return l.concurrency.initial; }, 7, 8},
    {"default_destination_concurrency_limit", "smtp_destination_concurrency_limit", "7", "8",
     [](L l) { return l.concurrency.most; }, 7, 8},
    {"default_destination_concurrency_failed_cohort_limit", "smtp_destination_concurrency_failed_cohort_limit", "7",
     "8", [](L l) { return l.concurrency.failed_cohorts; }, 7, 8},
    {"default_destination_concurrency_positive_feedback", "smtp_destination_concurrency_positive_feedback", "0.5",
     "1/concurrency", [](L l) { return slots(l, 4); }, 0.5, 0.25},
    {"default_destination_concurrency_negative_feedback", "smtp_destination_concurrency_negative_feedback", "0.5",
     "1/concurrency", [](L l) { return falls(l, 4); }, 0.5, 0.25},
    {"default_destination_recipient_limit", "smtp_destination_recipient_limit", "7", "8",
     [](L l) { return l.destination_recipients; }, 7, 8},
    {"default_destination_rate_delay", "smtp_destination_rate_delay", "7s", "8m",
     [](L l) { return l.destination_rate_delay.count(); }, 7, 480},
    {"default_transport_rate_delay", "smtp_transport_rate_delay", "7s", "8m",
     [](L l) { return l.transport_rate_delay.count(); }, 7, 480},
    {"default_delivery_slot_cost", "smtp_delivery_slot_cost", "7", "8", [](L l) { return l.slot_cost; }, 7, 8},
    {"default_delivery_slot_loan", "smtp_delivery_slot_loan", "7", "8", [](L l) { return l.slot_loan; }, 7, 8},
    {"default_delivery_slot_discount", "smtp_delivery_slot_discount", "7", "8", [](L l) { return l.slot_discount; }, 7,
     8},
    {"default_minimum_delivery_slots", "smtp_minimum_delivery_slots", "7", "8", [](L l) { return l.minimum_slots; }, 7,
     8},
    {"default_recipient_limit", "smtp_recipient_limit", "7", "8", [](L l) { return l.recipients; }, 7, 8},
    {"default_extra_recipient_limit", "smtp_extra_recipient_limit", "7", "8", [](L l) { return l.extra_recipients; }, 7,
     8},
    {"default_recipient_refill_limit", "smtp_recipient_refill_limit", "7", "8", [](L l) { return l.refill; }, 7, 8},
    {"default_recipient_refill_delay", "smtp_recipient_refill_delay", "7s", "8m",
     [](L l) { return l.refill_delay.count(); }, 7, 480},
};

double limit(const Row& row, const std::string& transport, const conf::Overrides& overrides) {
    return row.read(limits_of(conf::Settings::defaults(overrides), transport, {}));
}

TEST(TransportLimits, AreThoseOfAllTransportsUnlessOneHasItsOwn) {
    for (const auto& row : rows) {
        EXPECT_EQ(limit(row, "smtp", {{row.of_all, row.value}}), row.expected) << row.of_all;
        EXPECT_EQ(limit(row, "smtp", {{row.of_one, row.other}}), row.expected_other) << row.of_one;
        EXPECT_EQ(limit(row, "smtp", {{row.of_all, row.value}, {row.of_one, row.other}}), row.expected_other)
            << row.of_one;
        EXPECT_EQ(limit(row, "relay", {{row.of_all, row.value}, {row.of_one, row.other}}), row.expected)
            << row.of_one << " is not for relay";
    }
}

TEST(TransportLimits, OfLocalHaveParametersOfTheirOwn) {
    auto limits = limits_of(conf::Settings::defaults({}), "local", {});
    EXPECT_EQ(limits.concurrency.most, 2);
    EXPECT_EQ(limits.destination_recipients, 1u);
    limits = limits_of(conf::Settings::defaults(
                           {{"local_destination_concurrency_limit", "7"}, {"local_destination_recipient_limit", "8"}}),
                       "local", {});
    EXPECT_EQ(limits.concurrency.most, 7);
    EXPECT_EQ(limits.destination_recipients, 8u);
}
}
