// What postsuper does to single messages: delete, expire, hold, release, requeue. Each finds the message in the given
// queues, in their order, and goes on when it moves meanwhile (the mail system may be running).
//
// When things fail: a message that is not found is counted as nothing; other trouble is a warning.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>
#include "log_names.h"
#include "mail/queue_id.h"
#include "queue/directories.h"

namespace postsuper {
enum class Verb : std::uint8_t { remove, expire, expire_release, hold, release, requeue };

struct Counts {
    std::size_t removed = 0, expired = 0, held = 0, released = 0, requeued = 0;
};

class Actions {
public:
    explicit Actions(const queue::Directories& directories) : directories_(directories) {}
    // In these queues, or where none are given in the verb's own.
    void one(Verb verb, const mail::QueueId& id, const std::vector<std::string>& queues);
    void all(Verb verb, const std::vector<std::string>& queues);
    const Counts& counts() const { return counts_; }

private:
    // Whether something was there to be done; each with a log line when said.
    bool apply(Verb verb, const mail::QueueId& id, const std::string& queue, bool say);
    bool remove(const mail::QueueId& id, const std::string& queue, bool say);
    bool expire(const mail::QueueId& id, const std::string& queue, bool say);
    bool move(const mail::QueueId& id, const std::string& from, std::string_view to, std::size_t& count,
              const char* done, bool say, struct stat* seen = nullptr);
    bool requeue(const mail::QueueId& id, const std::string& queue, bool say);
    void remove_logs(const mail::QueueId& id, std::string_view queue, const struct stat& message) const;
    const queue::Directories& directories_;
    std::optional<LogNames> logs_{};  // while all messages are gone through
    Counts counts_{};
};
}
