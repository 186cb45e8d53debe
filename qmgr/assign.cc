// Manager: recipients are resolved and join the queues of their destinations, some now, more when there is room.
#include <algorithm>
#include "base/bytes.h"
#include "log/log.h"
#include "manager.h"

namespace qmgr {
Manager::Service& Manager::service(const std::string& name) {
    auto& place = services_[name];
    if (!place)
        place = std::make_unique<Service>(name, limits_of(settings_, name, sessions_), config_.ipc_timeout);
    return *place;
}

// A destination is a nexthop, or a single recipient (without its extension) where one delivery takes one recipient
// only.
std::string Manager::destination_key(const TransportLimits& limits, const Route& route) const {
    if (limits.destination_recipients != 1)
        return bytes::lowered(route.nexthop);
    std::string_view user = std::string_view(route.address).substr(0, route.address.rfind('@'));
    if (!config_.recipient_delimiter.empty())
        if (auto at = user.find_first_of(config_.recipient_delimiter, 1); at != user.npos)
            user = user.substr(0, at);
    return bytes::lowered(user) + '@' + bytes::lowered(route.nexthop);
}

// Sorted, so that a destination's recipients come together and their order does not depend on the sender's.
void Manager::assign(Message& message, std::vector<queue::Recipient> recipients) {
    struct Placed {
        Route route;
        queue::Recipient recipient;
    };
    std::vector<Placed> placed;
    placed.reserve(recipients.size());
    message.in_memory += recipients.size();
    recipients_ += recipients.size();
    message.refilling = true;  // holds the message while we wait for answers
    for (auto& recipient : recipients)
        placed.push_back({resolver_.resolve(message, recipient), std::move(recipient)});
    message.refilling = false;
    auto by = [](const Placed& p) { return std::tie(p.route.transport, p.route.nexthop, p.route.address); };
    std::stable_sort(placed.begin(), placed.end(), [&](const Placed& a, const Placed& b) { return by(a) < by(b); });
    std::vector<Service*> touched;
    for (std::size_t at = 0; at < placed.size();) {
        std::size_t end = at;
        const Route& route = placed[at].route;
        bool single = !route.discard && service(route.transport).transport.limits.destination_recipients == 1;
        std::vector<queue::Recipient> group;
        for (; end < placed.size() && placed[end].route.transport == route.transport &&
               placed[end].route.nexthop == route.nexthop && placed[end].route.discard == route.discard &&
               (!single || end == at);
             ++end) {
            placed[end].recipient.address = placed[end].route.address;
            group.push_back(std::move(placed[end].recipient));
        }
        if (!route.discard)
            touched.push_back(&service(route.transport));
        place(message, route, std::move(group));
        at = end;
    }
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    const bool nothing = placed.empty();
    for (Service* s : touched)
        dispatch(*s);
    if (nothing)
        settled(message, 0);
}

void Manager::place(Message& message, const Route& route, std::vector<queue::Recipient> recipients) {
    if (route.discard) {
        dispose_here(message, std::move(recipients), "2.0.0", "undeliverable postmaster notification discarded");
        return;
    }
    Service* to = &service(route.transport);
    Time now = loop::Clock::now();
    const Route* way = &route;
    Route suspended;
    if (to->transport.dead && now < to->transport.dead_until) {
        suspended = resolver_.retry(to->transport.dead_status, to->transport.dead_reason, route.address);
        way = &suspended;
    } else if (auto known = to->transport.destinations.find(destination_key(to->transport.limits, route));
               known != to->transport.destinations.end() && known->second->dead) {
        suspended = resolver_.retry(known->second->dead_status, known->second->dead_reason, route.address);
        way = &suspended;
    }
    if (way != &route) {
        to = &service(way->transport);
        if (route.transport == way->transport ||
            (to->transport.dead && now < to->transport.dead_until)) {  // not even that one answers
            auto [status, text] = bytes::cut(way->nexthop, ' ');
            dispose_here(message, std::move(recipients), status, std::string(text.value_or("")));
            return;
        }
    }
    Destination& destination = to->transport.destination(destination_key(to->transport.limits, *way), way->nexthop);
    warn_if_clogging(destination, now);
    to->transport.add(message, destination, std::move(recipients), message.verp());
    if (way != &route)
        dispatch(*to);
}

// A destination has four fifths of the active queue, counting the message that is about to be its, and the queue is as
// full as one destination may make it (share.cc).
void Manager::warn_if_clogging(Destination& d, Time now) {
    const std::size_t held = d.peers.size() + 1;
    if (!config_.helpful || config_.clog_warn.count() == 0 || active() * 2 < config_.old_messages() ||
        held * 5 < active() * 4)
        return;
    if (d.warned != Time{} && now < d.warned + config_.clog_warn)
        return;
    d.warned = now;
    maillog::warning("mail for {} is using up {} of {} active queue entries", d.nexthop, held, active());
    maillog::warning("to turn off these warnings specify: qmgr_clog_warn_time = 0");
}

// How many recipients the job's transport still takes into memory. A job that is to go before another gets extra room,
// so that it is not short of recipients just when its turn has come.
static std::size_t room_for(const Job& job) {
    const Transport& t = *job.transport;
    const std::size_t most = t.limits.recipients + (&job == t.candidate ? t.limits.extra_recipients : 0);
    return most > t.in_memory ? most - t.in_memory : 0;
}

// More of the file's recipients may come when all in memory are dealt with, when there is room for a whole batch, or
// after a while.
bool Manager::wants_refill(const Message& message, Time now) const {
    if (message.unread == 0 || message.refilling)
        return false;
    if (message.in_memory == 0)
        return true;
    std::size_t room = 0, batch = config_.recipients_minimum;
    auto delay = std::chrono::seconds::max();
    for (const auto& job : message.jobs) {
        const Transport& t = *job->transport;
        room += room_for(*job);
        batch = std::max(batch, t.limits.refill);
        delay = std::min(delay, t.limits.refill_delay);
    }
    return room >= batch || (room > 0 && now - message.refilled >= delay);
}

void Manager::refill(Message& message) {
    message.refilling = true;
    std::size_t most = config_.recipients_minimum;
    for (const auto& job : message.jobs) {
        most += room_for(*job);
    }
    if (config_.recipients > recipients_)
        most = std::max(most, std::min(config_.recipients - recipients_, config_.recipients));
    std::vector<queue::Recipient> recipients;
    Result<std::int64_t> position = std::int64_t(0);
    loop::file_job([&] {
        position = [&]() -> Result<std::int64_t> {
            TRY_ASSIGN(auto file, queue::QueueFile::open(directories_, queue::active, message.id, queue::Access::read));
            queue::RecipientReader reader(file, message.envelope, message.next_offset);
            TRY(reader.read(recipients, most));
            return reader.position();
        }();
    });
    message.refilled = loop::Clock::now();
    message.refilling = false;
    if (!position || recipients.empty()) {  // what cannot be read now is tried at the next attempt
        if (!position)
            maillog::warning("{}: reading more recipients: {}", message.id.text(), position.error().reason);
        message.deferred = message.deferred || !position;
        message.unread = 0;
        settled(message, 0);
        return;
    }
    message.next_offset = *position;
    message.unread -= std::min(message.unread, recipients.size());
    assign(message, std::move(recipients));
}
}
