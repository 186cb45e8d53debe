// Finds messages for the active queue: new mail in incoming when somebody says so, deferred mail whose time has come
// every queue_run_delay. While both wait, one of each is taken in turn, and deferred mail has at most four fifths of
// the active queue: so a backlog does not hold up new mail, not even one for a destination that is slow. Mail for a
// destination that has its share of the active queue (share.cc) is held back: it stays where it is, and is looked for
// again when that destination has room.
//
// A deferred message's next attempt is its file's time of modification. What this process has put off or looked at once
// it remembers, so that a scan of a million files asks the file system about the due ones only: some 45 bytes a
// message, at most remembered_most of them. The files are the truth: touched.h tells which of them others have changed,
// moved or removed, and these are looked at again, as are all after a restart. Two ids with one 64-bit hash (for a
// million, one chance in forty million) share the later note: one of them may wait as long as the other.
//
// When things fail: a directory that cannot be read finds nothing; the next scan tries again.
#pragma once
#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include "manager.h"
#include "touched.h"

namespace qmgr {
class Intake {
public:
    Intake(Manager& manager, const conf::Settings& settings);
    // For the life of the process, in a fiber: waits for its turn to be the queue manager, sends home what an earlier
    // one had in active, then feeds.
    void run();
    // Bytes from public/qmgr, in any order: I and W scan incoming, D deferred, A makes the next deferred scan take all,
    // F forgets dead destinations.
    void trigger(std::string_view request);
    // Messages that are new in incoming: taken without a look through the directory.
    void arrived(const std::vector<std::string>& ids);

private:
    struct ScannedQueue {
        std::string_view queue;
        std::deque<mail::QueueId> found{};
        bool wanted = false, scanning = false;  // wanted: (another) scan is to begin
        bool all = false, all_next = false;     // whatever the files' times say
    };
    void take_over();
    void scan_forever(ScannedQueue& source);
    void scan(ScannedQueue& source);
    void feed();
    void take(ScannedQueue& source);
    void taken(ScannedQueue& source, const mail::QueueId& id, Taken result);
    void still_delivered(const mail::QueueId& id, std::string_view from);
    void remember(const mail::QueueId& id, std::int64_t due);
    void forget_touched();
    void hold_back(const mail::QueueId& id, std::size_t number);
    std::optional<std::size_t> number_of(Manager::Place place);
    bool still_held(const ScannedQueue& source, std::uint32_t due);
    void look_for_held();
    void tell_waiting();

    Manager& manager_;
    std::chrono::seconds run_delay_;
    ScannedQueue incoming_{.queue = queue::incoming}, deferred_{.queue = queue::deferred};
    std::unordered_map<std::size_t, std::uint32_t>
        due_{};  // by hash of the id: seconds since 1970; the last of these are numbers of crowded places
    struct Crowded {
        Manager::Place place;
        bool mail;
    };  // mail: some is held back
    std::vector<Crowded> crowded_{};
    std::size_t held_new_ = 0;  // in incoming, as of its last scan
    Touched touched_{};
    std::unordered_map<std::string, int> skipped_{};   // how often, while an agent of an earlier queue manager had it
    std::unordered_map<std::string, bool> waiting_{};  // found or being taken; true: announced since
    std::size_t taking_ = 0;
    bool ready_ = false, deferred_turn_ = false;  // ready: this is the queue manager now
    loop::Condition changed_{}, scan_{};
    UniqueFd turn_{};
};
}
