// Puts a message into a mailbox: a file in mbox format, locked while it is appended to, or a directory in maildir
// format. For local (mailboxes, /file destinations) and virtual. Everything of the user's is touched with the user's
// rights.
//
// A success means that the message is on stable storage: the file is synced, and so is the directory when the file is
// new.
//
// When things fail: the Error says what, with the errno and a status: 5.2.2 where a limit or quota is reached, 4.2.0
// for what may pass (locks, disk space, ownership), 5.2.0 for the rest. An mbox is cut back to its old length; a
// maildir keeps nothing.
#pragma once
#include <functional>
#include <string>
#include <vector>
#include "base/error.h"
#include "delivery/copy.h"
#include "delivery/rights.h"

namespace conf {
class Settings;
}

namespace delivery {
struct LockRules {
    bool fcntl = false, flock = false, dotlock = false;
    int attempts = 20;                          // deliver_lock_attempts
    std::chrono::seconds pause{1}, stale{500};  // deliver_lock_delay, stale_lock_time
};
// methods: "fcntl, dotlock"; an unknown one is an Error.
Result<LockRules> lock_rules(const conf::Settings& settings, std::string_view methods);

struct MailboxTarget {
    std::string path;             // of the mbox, or of the maildir with its final '/'
    Rights rights;                // whose mailbox it is
    std::int64_t size_limit = 0;  // of the mbox file or of the new maildir file; 0: none
    LockRules locks;
    bool strict_ownership = true;     // the mbox file must be its user's
    bool spool_as_root = false;       // mbox in a directory that only root (or its group) may write: root makes the
                                      // file and the lock in it; an existing file is opened as the user all the same
    bool lock_file_optional = false;  // a lock file that cannot be made (but for one that is there) is a warning only
    bool only_regular = true;  // false: devices and FIFOs are written to as they are (/dev/null as a destination)
};

// Appends to an mbox what write hands to the sink. Returns the length of the file before.
Result<std::int64_t> append_to_mbox(const MailboxTarget& target, const std::function<Result<void>(const Sink&)>& write);
// Makes a file in new/ of it. A missing maildir is made (mode 0700), and so are the directories above it.
Result<void> add_to_maildir(const MailboxTarget& target, const std::function<Result<void>(const Sink&)>& write);

// The name of a file in new/: "1795349732.Vfe00Ia72669M359315.host".
std::string maildir_name(std::int64_t seconds, std::int32_t microseconds, std::uint64_t device, std::uint64_t inode,
                         std::string_view host);
}
