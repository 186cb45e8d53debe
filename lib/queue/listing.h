// The mail queue as mailq shows it: one message after another, with the recipients that are still to be delivered and
// why they have not been. For showq, and for postqueue when the mail system is down.
//
// When things fail: a message that goes while it is read, is not complete yet or is damaged is passed over.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>
#include "ipc/mail_queue_list.h"
#include "queue/directories.h"

namespace queue {
using ListedMessage = ipc::QueueListMessage;  // addresses in external form, "MAILER-DAEMON" for the null one; original
                                              // is "" where it is the same or unknown
// One file. Absent where it is to be passed over. Without reasons the log of deferrals is not read.
std::optional<ListedMessage> list_message(const Directories& directories, std::string_view queue,
                                          const mail::QueueId& id, const std::string& path, bool reasons = true);

// All of maildrop, active, incoming, deferred and hold. form appends what is to be said of a message, in the jobs of
// the pool that read the files: several at once, where there is a loop. write then gets the texts, many messages in
// each, one call at a time; false ends the listing.
void list_queues(const Directories& directories,
                 const std::function<void(const ListedMessage&, std::string& out)>& form,
                 const std::function<bool(std::string_view)>& write);
}
