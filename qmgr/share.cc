// Manager: how much of the active queue one destination may hold. A slow one that most of the mail is for would fill
// it, and all others would wait for it. Each may hold as much as is free, a tenth of the active queue at least: one
// slow destination leaves half, two leave a third.
//
// When things fail: a file that cannot be read has no destination here; activate() finds out what is wrong with it.
#include <algorithm>
#include "manager.h"

namespace qmgr {
static constexpr std::size_t few = 50;  // recipients: a message with more is taken, whomever it is for

Manager::Share Manager::share_of(const Place& place) const {
    const std::size_t most = config_.old_messages(), free = most > active() ? most - active() : 0;
    Share share{.held = 0, .most = std::max({free, config_.messages / 10, std::size_t{1}})};
    auto s = services_.find(place.transport);
    if (s == services_.end() || s->second->transport.dead)
        return share;
    auto d = s->second->transport.destinations.find(place.destination);
    if (d != s->second->transport.destinations.end() && !d->second->dead)
        share.held = d->second->peers.size();
    return share;
}

std::optional<Manager::Place> Manager::crowded_place(const mail::QueueId& id, std::string_view from, bool flush) {
    if (active() * 2 < config_.old_messages())
        return std::nullopt;  // nobody holds as much as is free
    Message probe(id);
    probe.flush = flush;
    queue::FirstRecipients first{few};
    loop::file_job([&] {
        auto file = queue::QueueFile::open(directories_, from, id, queue::Access::read);
        if (!file || !file->complete() || (file->mode() & 0010) != 0)
            return;  // forced to expire: needs no destination
        auto envelope = file->envelope(&first);
        if (!envelope || envelope->remaining > few)
            first.list.clear();
        else
            probe.envelope = std::move(*envelope);
    });
    std::optional<Place> only;
    for (const queue::Recipient& r : first.list) {
        const Route route = resolver_.resolve(probe, r);
        if (route.discard)
            return std::nullopt;
        Place place{route.transport, destination_key(service(route.transport).transport.limits, route)};
        if (only && *only != place)
            return std::nullopt;
        only = std::move(place);
    }
    return only && share_of(*only).full() ? only : std::nullopt;
}
}
