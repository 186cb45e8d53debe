// A message in the active queue, as the scheduler holds it: what its file says, the recipients in memory, and how it
// stands.
#pragma once
#include <memory>
#include <string>
#include <vector>
#include "base/time.h"
#include "loop/loop.h"
#include "mail/queue_id.h"
#include "queue/file.h"

namespace qmgr {
using Time = loop::Clock::time_point;
struct Job;

struct Message {
    mail::QueueId id;
    queue::Envelope envelope{};
    base::WallTime active{};  // when it was taken into the active queue
    double serial = 0;        // order of being taken: the job lists are sorted by it
    Time picked{};
    unsigned mode = 0;  // of its file, for forced expiry

    std::int64_t next_offset = 0;  // where unread recipients begin
    std::size_t unread = 0;        // recipients not yet in memory
    std::size_t in_memory = 0;     // read and not yet dealt with
    Time refilled{};
    bool refilling = false;

    bool deferred = false;  // some recipient stays
    bool traced = false;    // some request asked for a report of what was done
    bool old = false;       // came from deferred
    bool flush = false;     // somebody asked for delivery now: defer_transports does not apply
    std::vector<std::unique_ptr<Job>> jobs{};

    explicit Message(mail::QueueId name);
    ~Message();
    bool verp() const { return envelope.has_verp && !envelope.sender.empty(); }
    bool force_expired() const { return (mode & 0010) != 0; }  // postsuper -e sets the group's execute bit
};
}
