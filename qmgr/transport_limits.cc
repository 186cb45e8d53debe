#include "transport_limits.h"
#include <algorithm>
#include "conf/master_cf.h"
#include "conf/params/global.h"
#include "conf/params/qmgr.h"
#include "log/log.h"

namespace qmgr {
static constexpr std::size_t sessions_most = 5000;  // "no limit" in master.cf; each is a connection and a fiber here

SessionLimits SessionLimits::read(const conf::Settings& settings) {
    SessionLimits limits;
    limits.default_ = static_cast<std::size_t>(
        std::clamp<std::int64_t>(settings[param::default_process_limit], 1, static_cast<std::int64_t>(sessions_most)));
    auto entries = conf::read_master_cf(settings.directory() + "/master.cf");
    if (!entries) {  // master has started us, so it is readable; a test may have none
        maillog::warning("{}", entries.error().reason);
        return limits;
    }
    for (const auto& entry : conf::effective(*entries)) {
        if (entry.type != "unix")
            continue;
        auto most = entry.maxproc();
        limits.sessions_[entry.name] = !most        ? limits.default_
                                       : *most == 0 ? sessions_most
                                                    : std::min(static_cast<std::size_t>(*most), sessions_most);
    }
    return limits;
}

std::size_t SessionLimits::of(const std::string& service) const {
    auto at = sessions_.find(service);
    return at == sessions_.end() ? default_ : at->second;
}

static Feedback feedback(const conf::Settings& settings, const conf::Text& family, const std::string& transport) {
    auto parsed = Feedback::parse(settings.of(family, transport));
    if (parsed)
        return *parsed;
    maillog::warning("transport {}: {}: using 1", transport, parsed.error().reason);
    return *Feedback::parse("1");
}

TransportLimits limits_of(const conf::Settings& settings, const std::string& name, const SessionLimits& sessions) {
    auto number = [&](const conf::Int& family) { return settings.of(family, name); };
    auto count = [&](const conf::Int& family) {
        return static_cast<std::size_t>(std::max<std::int64_t>(number(family), 0));
    };
    auto small = [&](const conf::Int& family) {
        return static_cast<int>(std::clamp<std::int64_t>(number(family), 0, 1000000));
    };
    TransportLimits limits;
    limits.concurrency.initial = std::max(1, small(param::transport_initial_destination_concurrency));
    limits.concurrency.most = small(param::transport_destination_concurrency_limit);
    limits.concurrency.failed_cohorts = small(param::transport_destination_concurrency_failed_cohort_limit);
    limits.concurrency.positive = feedback(settings, param::transport_destination_concurrency_positive_feedback, name);
    limits.concurrency.negative = feedback(settings, param::transport_destination_concurrency_negative_feedback, name);
    limits.destination_recipients = count(param::transport_destination_recipient_limit);
    limits.destination_rate_delay = settings.of(param::transport_destination_rate_delay, name);
    limits.transport_rate_delay = settings.of(param::transport_transport_rate_delay, name);
    limits.slot_cost = small(param::transport_delivery_slot_cost);
    limits.slot_loan = small(param::transport_delivery_slot_loan);
    limits.slot_discount = std::min(100, small(param::transport_delivery_slot_discount));
    limits.minimum_slots = small(param::transport_minimum_delivery_slots);
    limits.recipients = count(param::transport_recipient_limit);
    limits.extra_recipients = count(param::transport_extra_recipient_limit);
    limits.refill = std::max<std::size_t>(1, count(param::transport_recipient_refill_limit));
    limits.refill_delay = settings.of(param::transport_recipient_refill_delay, name);
    limits.sessions = sessions.of(name);
    return limits;
}
}
