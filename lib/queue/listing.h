// The mail queue as mailq shows it: one message after another, with the recipients that are still to be delivered and why they have
// not been. For showq, and for postqueue when the mail system is down.
//
// When things fail: a message that goes while it is read, is not complete yet or is damaged is passed over.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>
#include "queue/directories.h"

namespace queue {
struct ListedRecipient { std::string address, original, reason; };   // original: "" where it is the same or unknown
struct ListedMessage {
    std::string queue, id;
    std::int64_t arrival = 0, size = 0;
    bool force_expired = false;
    std::string sender;                          // "MAILER-DAEMON" for the null sender
    std::vector<ListedRecipient> recipients{};
};
// One file. Absent where it is to be passed over. Without reasons the log of deferrals is not read.
std::optional<ListedMessage> list_message(const Directories& directories, std::string_view queue, const mail::QueueId& id, const std::string& path, bool reasons = true);

// All of maildrop, active, incoming, deferred and hold. found is called for each message, some at a time after a job of the pool;
// false ends the listing.
void list_queues(const Directories& directories, const std::function<bool(const ListedMessage&)>& found);
}
