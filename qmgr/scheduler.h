// Which recipients go to which delivery agent next. Pure data: nothing here waits, reads files or asks anybody.
//
// A Transport is a delivery agent by its master.cf name. It has Destinations (a nexthop each; the unit of concurrency),
// and Jobs (a message's part in this transport). A Job has Peers (its part in one destination), a Peer has Entries
// (recipients that are delivered in one request). select() takes an entry of the current job, the first that is not
// blocked; small jobs may slip past a large one by the delivery slots that the large one has earned (one for each
// slot_cost of its entries). A peer whose destination is full waits at the destination; a job all of whose peers wait
// is out of the way until one is woken.
//
// When things fail: nothing here fails; broken invariants are panics.
#pragma once
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>
#include "feedback.h"
#include "message.h"

namespace qmgr {
struct TransportLimits {
    ConcurrencyLimits concurrency{};
    std::size_t destination_recipients = 50;  // in one delivery; 0: no limit; 1: destinations are single recipients
    std::chrono::seconds destination_rate_delay{0}, transport_rate_delay{0};
    int slot_cost = 5, slot_loan = 3, slot_discount = 50, minimum_slots = 3;
    std::size_t recipients = 20000, extra_recipients = 1000, refill = 100;
    std::chrono::seconds refill_delay{5};
    std::size_t sessions = 100;  // of the service in master.cf: no more deliveries at once
};

struct Transport;
struct Destination;
struct Job;
struct Peer;

// One delivery: recipients of one message for one destination.
struct Entry {
    Message* message;
    Job* job;
    Destination* destination;
    std::vector<queue::Recipient> recipients;
};

struct Peer {
    Job* job;
    Destination* destination;
    std::deque<std::unique_ptr<Entry>> entries{};
    bool open = false;  // in job->open, at `place`, else waiting at the destination or empty
    std::list<Peer*>::iterator place{};
    bool waiting = false;
    double waiting_rank = 0;  // its key there
};

struct Job {
    Message* message;
    Transport* transport;
    double rank;  // order in the transport's list: the message's, until it preempts another
    std::map<Destination*, std::unique_ptr<Peer>> peers{};
    std::list<Peer*> open{};  // whose destination has room, in turn
    std::size_t todo = 0;     // entries to be selected
    std::size_t selected = 0, slots_used = 0;
    bool ready = false;  // in the transport's list
    ~Job();

    std::size_t most_entries() const { return todo + message->unread; }
};

struct Destination {
    Transport* transport;
    std::string key, nexthop;
    Concurrency concurrency;
    std::size_t todo = 0, busy = 0;
    bool dead = false;
    std::string dead_status{}, dead_reason{};
    Time dead_until{};
    Time not_before{};             // rate delay
    bool timer = false;            // somebody will call wake() at not_before
    bool kept_connection = false;  // the last delivery left its connection in the cache
    Time warned{};                 // of clogging
    std::set<std::pair<double, Peer*>> waiting{};
    std::set<Peer*> peers{};

    std::size_t window() const;
    bool has_room(Time now) const;
    bool idle() const { return todo == 0 && busy == 0 && !dead && !timer; }
};

struct Transport {
    Transport(std::string its_name, const TransportLimits& its_limits)
        : name(std::move(its_name)), limits(its_limits) {}

    std::string name;
    TransportLimits limits;
    std::map<std::string, std::unique_ptr<Destination>, std::less<>> destinations{};
    std::map<std::pair<double, Job*>, Job*> ready{};  // jobs with an open peer, in order
    std::size_t busy = 0;                             // deliveries under way
    std::size_t in_memory = 0;                        // recipients
    bool dead = false;
    std::string dead_status{}, dead_reason{};
    Time dead_until{};
    Time not_before{};  // transport_rate_delay
    bool timer = false;
    Job* candidate = nullptr;  // the best to preempt `candidate_for`, or none, for a second
    Job* candidate_for = nullptr;
    Time candidate_until{};

    Destination& destination(const std::string& key, const std::string& nexthop);
    // Makes entries of at most destination_recipients each (1 with single).
    void add(Message& message, Destination& to, std::vector<queue::Recipient> recipients, bool single);
    // The next entry to deliver; empty when there is none, or no room for it now.
    std::unique_ptr<Entry> select(Time now);
    // The entry's delivery has ended; peers that waited for its place are woken. The caller deals with its recipients.
    void finished(const Entry& entry);
    // All entries of a destination that are not under way, e.g. since it is dead.
    std::vector<std::unique_ptr<Entry>> take_all(Destination& from);
    void wake(Destination& destination, Time now);  // its window grew, or its rate delay is over
    void forget_if_idle(Destination& destination);

private:
    friend struct Job;
    void insert(Job& job);
    void erase(Job& job);
    void leave(Peer& peer);    // neither open nor waiting
    void open_up(Peer& peer);  // at the end of its job's turn
    void close_front(Job& job);
    Peer* open_peer(Job& job, Time now);
    void consider(Job& job);  // it is new: may it preempt, where nothing could a moment ago?
    Job* choose_candidate(Job& current, Time now);
    Job* preempt(Job& current, Time now);
    std::unique_ptr<Entry> take(Job& job, Peer& peer);
};
}
