// Locks on an mbox: "PATH.lock" made with O_EXCL, fcntl(2) and flock(2), tried a number of times. Inside lib/delivery.
#pragma once
#include <string>
#include "delivery/mailbox.h"

namespace delivery {
class DotLock {
public:
    DotLock() = default;
    ~DotLock();
    DotLock(const DotLock&) = delete;
    // Makes the lock file with the effective rights of the caller. The Error carries the errno (EEXIST: somebody has
    // it).
    Result<void> take(const std::string& mailbox, const LockRules& rules);
    void release();  // with the rights that take() had

private:
    std::string path_{};
};
// What a failed call on somebody's mailbox means for the message (see mailbox.h): "what: errno's text".
tl::unexpected<Error> mailbox_error(const std::string& what, int err);
// The names in a mailbox's directory, on stable storage. One that may be passed through but not read is left alone: the
// file's own fsync has to do.
Result<void> sync_names(const std::string& directory);
// fcntl and flock as the rules want; the descriptor keeps them until it is closed.
Result<void> lock_file(int fd, const LockRules& rules);
}
