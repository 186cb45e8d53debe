// flush/SITE: the queue ids of deferred mail for one destination, a line each; written at the end, emptied when the
// mail is asked for. The name is the site's in lower case, every other character than a letter or digit as '_'.
//
// When things fail: Errors with errno; a line that is no queue id is passed over. The file is locked while it is read
// and emptied.
#pragma once
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "mail/queue_id.h"
#include "queue/directories.h"

namespace flush {
// "example.org"; absent where it could not be a destination's name.
std::string log_name(std::string_view site);
Result<void> append(const queue::Directories& directories, const std::string& name, const mail::QueueId& id);
// The ids, each once, in the order they came; the log is empty afterwards. None where there is no log.
Result<std::vector<mail::QueueId>> take_all(const queue::Directories& directories, const std::string& name);
// Asks for delivery of one deferred message: its time is now, its place incoming. false: it is not deferred (any more).
Result<bool> release(const queue::Directories& directories, const mail::QueueId& id);
}
