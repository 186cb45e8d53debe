// Which program of this mail system a process is, by its process id: one octet each, in memory that master writes and
// the others can only read. A service uses it to know who asks (Daemon::may_ask): its socket alone cannot tell, since
// all daemons are mail_owner. Only in the hands of master does the memory exist as a descriptor that can be written; it
// is sealed before the first worker starts.
//
// When things fail: where the system has no such memory (before Linux 5.1, not Linux) every process is unknown and
// nobody is refused; master says so at start.
#pragma once
#include <sys/types.h>
#include <cstdint>
#include <string_view>
#include "base/error.h"
#include "base/fd.h"

namespace server {
class Programs {
public:
    Programs() = default;
    Programs(const Programs&) = delete;
    // master: makes the memory, empty.
    Result<void> make();
    // A worker: from the descriptor that it was handed.
    Result<void> map(int fd);
    int fd() const { return fd_.get(); }
    bool known() const { return cells_ != nullptr; }

    // master: the process has been started (program: the file's name in daemon_directory), or has ended. passes_on: it
    // gives recipients to delivery agents itself, since best_mx_transport is set for it.
    void started(pid_t pid, std::string_view program, bool passes_on);
    void ended(pid_t pid);
    // "smtpd"; "" for a process that is not a daemon of this mail system.
    std::string_view of(pid_t pid) const;
    bool passes_on(pid_t pid) const;

private:
    UniqueFd fd_;
    volatile std::uint8_t* cells_ = nullptr;  // for the life of the process
};
}
