#include "scheduler.h"
#include <algorithm>
#include "log/log.h"

namespace qmgr {
Message::Message(mail::QueueId name) : id(std::move(name)) {}
Message::~Message() = default;

// A job goes with its message, when nothing of it is left to deliver; its peers are at no destination then.
Job::~Job() {
    if (ready)
        transport->erase(*this);
    if (transport->candidate == this || transport->candidate_for == this)
        transport->candidate = transport->candidate_for = nullptr;
    for (auto& [destination, peer] : peers) {
        transport->leave(*peer);
        destination->todo -= peer->entries.size();
        destination->peers.erase(peer.get());
        transport->forget_if_idle(*destination);
    }
}

std::size_t Destination::window() const {
    std::size_t n = static_cast<std::size_t>(concurrency.window());
    return transport->limits.destination_rate_delay.count() > 0 ? std::min<std::size_t>(n, 1) : n;
}
bool Destination::has_room(Time now) const { return !dead && busy < window() && now >= not_before; }

Destination& Transport::destination(const std::string& key, const std::string& nexthop) {
    auto& place = destinations[key];
    if (!place)
        place.reset(new Destination{
            .transport = this, .key = key, .nexthop = nexthop, .concurrency = Concurrency(limits.concurrency)});
    return *place;
}

void Transport::forget_if_idle(Destination& d) {
    if (d.idle() && d.peers.empty())
        destinations.erase(d.key);
}

void Transport::insert(Job& job) {
    if (job.ready)
        return;
    job.ready = true;
    ready.emplace(std::pair(job.rank, &job), &job);
}
void Transport::erase(Job& job) {
    if (!job.ready)
        return;
    job.ready = false;
    ready.erase({job.rank, &job});
}

static Job& job_of(Message& message, Transport& transport) {
    for (auto& job : message.jobs)
        if (job->transport == &transport)
            return *job;
    message.jobs.push_back(
        std::unique_ptr<Job>(new Job{.message = &message, .transport = &transport, .rank = message.serial}));
    return *message.jobs.back();
}

void Transport::add(Message& message, Destination& to, std::vector<queue::Recipient> recipients, bool single) {
    Job& job = job_of(message, *this);
    auto& place = job.peers[&to];
    if (!place) {
        place.reset(new Peer{.job = &job, .destination = &to});
        to.peers.insert(place.get());
    }
    Peer& peer = *place;
    const bool was_empty = peer.entries.empty();
    const std::size_t most = single                               ? 1
                             : limits.destination_recipients == 0 ? recipients.size()
                                                                  : limits.destination_recipients;
    in_memory += recipients.size();
    std::size_t at = 0;
    if (!single &&
        !was_empty) {  // what comes in small lots, e.g. from the many destinations of a dead transport, goes together
        auto& last = peer.entries.back()->recipients;
        const std::size_t room =
            limits.destination_recipients == 0 ? recipients.size() : most - std::min(most, last.size());
        for (; at < std::min(room, recipients.size()); ++at)
            last.push_back(std::move(recipients[at]));
    }
    for (; at < recipients.size(); at += most) {
        auto entry = std::make_unique<Entry>(Entry{&message, &job, &to, {}});
        auto first = recipients.begin() + static_cast<std::ptrdiff_t>(at),
             last = recipients.begin() + static_cast<std::ptrdiff_t>(std::min(at + most, recipients.size()));
        entry->recipients.assign(std::make_move_iterator(first), std::make_move_iterator(last));
        peer.entries.push_back(std::move(entry));
        ++job.todo;
        ++to.todo;
    }
    if (was_empty && !peer.entries.empty() && !peer.open && !peer.waiting)
        open_up(peer);  // select() looks whether the destination has room
    consider(job);
}

void Transport::open_up(Peer& peer) {
    peer.open = true;
    peer.place = peer.job->open.insert(peer.job->open.end(), &peer);
    insert(*peer.job);
}

void Transport::close_front(Job& job) {
    job.open.front()->open = false;
    job.open.pop_front();
}

void Transport::leave(Peer& peer) {
    if (peer.open) {
        peer.job->open.erase(
            peer.place);  // not by its value: a dead transport gives up all its destinations, one after the other
        peer.open = false;
        if (peer.job->open.empty())
            erase(*peer.job);
    }
    if (peer.waiting) {
        peer.destination->waiting.erase({peer.waiting_rank, &peer});
        peer.waiting = false;
    }
}

// The next peer of the job whose destination has room; those that have none go and wait there. Without any, the job
// leaves the list.
Peer* Transport::open_peer(Job& job, Time now) {
    while (!job.open.empty()) {
        Peer* peer = job.open.front();
        if (peer->destination->has_room(now))
            return peer;
        close_front(job);
        peer->waiting = true;
        peer->waiting_rank = job.rank;
        peer->destination->waiting.emplace(job.rank, peer);
    }
    erase(job);
    return nullptr;
}

void Transport::wake(Destination& d, Time now) {
    if (d.dead || now < d.not_before)
        return;
    std::size_t room = d.window() > d.busy ? d.window() - d.busy : 0;
    while (room-- > 0 && !d.waiting.empty()) {
        Peer* peer = d.waiting.begin()->second;
        d.waiting.erase(d.waiting.begin());
        peer->waiting = false;
        open_up(*peer);
    }
}

// How many entries a job may have that goes before this one, by what it can still earn.
static std::size_t most_to_earn(const Transport& t, const Job& job) {
    const std::size_t earned = (job.selected + job.todo) / static_cast<std::size_t>(t.limits.slot_cost);
    return earned > job.slots_used ? earned - job.slots_used : 0;
}

void Transport::consider(Job& job) {
    if (candidate_for && !candidate && &job != candidate_for && job.ready &&
        job.most_entries() <= most_to_earn(*this, *candidate_for))
        candidate = &job;
}

// Which other job would gain most by going first: the one that has waited longest for its number of entries, among
// those that fit into what the current job can still earn. That there is none holds for a second too: looking at all
// jobs for each entry would cost more than the delivery.
Job* Transport::choose_candidate(Job& current, Time now) {
    if (candidate_for == &current && now < candidate_until && (!candidate || candidate->ready))
        return candidate;
    const std::size_t most = most_to_earn(*this, current);
    candidate = nullptr;
    candidate_for = &current;
    candidate_until = now + std::chrono::seconds(1);
    double best = -1;
    std::size_t looked_at = 0;
    for (auto& [key, job] : ready) {
        if (job == &current || job->todo == 0)
            continue;
        if (++looked_at > 20000)
            break;
        std::size_t entries = job->most_entries();
        if (entries > most)
            continue;
        double score = std::chrono::duration<double>(now - job->message->picked).count() / static_cast<double>(entries);
        if (score > best) {
            best = score;
            candidate = job;
        }
    }
    return candidate;
}

Job* Transport::preempt(Job& current, Time now) {
    if (limits.slot_cost < 2 || ready.size() < 2)
        return nullptr;
    // Below this many entries in all, no job can earn what is needed: most mail ends here.
    if ((current.selected + current.todo) / static_cast<std::size_t>(limits.slot_cost) <
        static_cast<std::size_t>(limits.minimum_slots))
        return nullptr;
    Job* other = choose_candidate(current, now);
    if (!other)
        return nullptr;
    const auto needed = static_cast<long>(other->most_entries());
    // In entries. Loan and discount are paid back before there is another.
    const long credit = static_cast<long>(current.selected) - static_cast<long>(current.slots_used) * limits.slot_cost;
    const long demanded = needed * (100 - limits.slot_discount) - 100 * limits.slot_loan;  // hundredths of a slot
    if (credit <= 0 || demanded > 100 * (credit / limits.slot_cost))
        return nullptr;
    auto here = ready.find({current.rank, &current});
    double before = here == ready.begin() ? current.rank - 1 : (std::prev(here)->first.first + current.rank) / 2;
    if (!(before < current.rank))
        return nullptr;  // no number left between the two
    Peer* peer = open_peer(*other, now);
    candidate = candidate_for = nullptr;
    if (!peer)
        return nullptr;
    current.slots_used += static_cast<std::size_t>(needed);
    erase(*other);
    other->rank = before;
    insert(*other);
    return other;
}

std::unique_ptr<Entry> Transport::take(Job& job, Peer& peer) {
    auto entry = std::move(peer.entries.front());
    peer.entries.pop_front();
    Destination& d = *peer.destination;
    --job.todo;
    ++job.selected;
    --d.todo;
    ++d.busy;
    ++busy;
    if (peer.entries.empty())
        close_front(job);
    else
        job.open.splice(job.open.end(), job.open, peer.place);  // the next destination's turn
    if (job.open.empty())
        erase(job);
    return entry;
}

std::unique_ptr<Entry> Transport::select(Time now) {
    if (dead || busy >= limits.sessions || now < not_before)
        return nullptr;
    while (!ready.empty()) {
        Job* job = ready.begin()->second;
        if (!open_peer(*job, now))
            continue;  // has left the list
        if (Job* other = preempt(*job, now))
            job = other;
        return take(*job, *job->open.front());
    }
    return nullptr;
}

void Transport::finished(const Entry& entry) {
    Destination& d = *entry.destination;
    if (d.busy == 0 || busy == 0)
        maillog::panic("a delivery ended that had not begun: {}", d.key);
    --d.busy;
    --busy;
    in_memory -= std::min(in_memory, entry.recipients.size());
}

std::vector<std::unique_ptr<Entry>> Transport::take_all(Destination& from) {
    std::vector<std::unique_ptr<Entry>> all;
    for (Peer* peer : from.peers) {
        for (auto& entry : peer->entries) {
            --peer->job->todo;
            --from.todo;
            in_memory -= std::min(in_memory, entry->recipients.size());
            all.push_back(std::move(entry));
        }
        peer->entries.clear();
        leave(*peer);
    }
    return all;
}
}
