// Which messages have a log of deferrals, of bounces or of traces: what is done to all messages lists those directories
// once, rather than trying to remove three files for each message that most often are not there.
//
// When things fail: where a directory cannot be read, each message may have a log; so may one that was touched since.
#pragma once
#include <sys/stat.h>
#include <array>
#include <cstdint>
#include <ctime>
#include <string_view>
#include <vector>
#include "mail/queue_id.h"
#include "queue/directories.h"

namespace postsuper {
inline constexpr std::array log_queues{queue::defer_log, queue::bounce_log, queue::trace_log};

class LogNames {
public:
    // Reads the directories now.
    explicit LogNames(const queue::Directories& directories);
    // False: the message, found in this queue with this state, has no log in log_queues[log]. A log is written while
    // its message is active, and the message's way from there to deferred is a change of its file. (To hold it can be
    // moved while it is under way.)
    bool may_have(std::size_t log, const mail::QueueId& id, std::string_view queue, const struct stat& message) const;

private:
    std::time_t listed_;
    struct Names {
        std::vector<std::uint64_t> hashes{};  // sorted: a million take 8 MB
        bool complete = true;
    };
    std::array<Names, log_queues.size()> names_{};
};
}
