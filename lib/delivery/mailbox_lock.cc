// See delivery/mailbox_lock.h. The waits are short sleeps: the processes that deliver to mailboxes have nothing else to
// do.
#include "delivery/mailbox_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <ctime>
#include <thread>
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "conf/settings.h"

namespace delivery {
Result<LockRules> lock_rules(const conf::Settings& settings, std::string_view methods) {
    LockRules rules;
    rules.attempts = static_cast<int>(std::min<std::int64_t>(settings[param::deliver_lock_attempts], 100000));
    rules.pause = settings[param::deliver_lock_delay];
    rules.stale = settings[param::stale_lock_time];
    for (std::string_view method : bytes::split(methods, ", \t\r\n")) {
        if (method == "fcntl")
            rules.fcntl = true;
        else if (method == "flock")
            rules.flock = true;
        else if (method == "dotlock")
            rules.dotlock = true;
        else
            return permanent("unknown mailbox lock method \"" + std::string(method) +
                             "\": fcntl, flock or dotlock is expected");
    }
    return rules;
}

tl::unexpected<Error> mailbox_error(const std::string& what, int err) {
    EnhancedStatus status{5, 2, 0};
    if (err == EFBIG || err == EDQUOT)
        status = {5, 2, 2};
    else
        for (int passing :
             {ENOSPC, EAGAIN, EINTR, EIO, ENOMEM, EMFILE, ENFILE, EROFS, ESTALE, ENODEV, ETIMEDOUT, ENOLCK, EEXIST})
            if (err == passing)
                status = {4, 2, 0};
    return tl::unexpected(Error{status, what + ": " + errno_text(err), err});
}

Result<void> sync_names(const std::string& directory) {
    const auto synced = sync_directory(directory);
    if (synced || synced.error().sys_errno == EACCES)
        return {};
    return mailbox_error("cannot sync directory " + directory, synced.error().sys_errno);
}

DotLock::~DotLock() { release(); }

void DotLock::release() {
    if (!path_.empty())
        ::unlink(path_.c_str());
    path_.clear();
}

Result<void> DotLock::take(const std::string& mailbox, const LockRules& rules) {
    std::string path = mailbox + ".lock";
    for (int attempt = 1;; ++attempt) {
        // O_EXCL never follows a link: nobody can make us open something else.
        UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (fd) {
            path_ = std::move(path);
            std::string pid = std::to_string(::getpid());
            [[maybe_unused]] bool told =
                write_all(fd.get(), pid).has_value();  // for people who look; an empty lock is a lock
            return {};
        }
        int err = errno;
        if (err == EEXIST) {
            struct stat st {};
            if (::lstat(path.c_str(), &st) == 0 && std::time(nullptr) > st.st_ctime + rules.stale.count() &&
                ::unlink(path.c_str()) == 0)
                continue;
        }
        if (err != EEXIST || attempt >= rules.attempts)
            return mailbox_error("unable to create lock file " + path, err);
        std::this_thread::sleep_for(rules.pause);
    }
}

static int try_lock(int fd, const LockRules& rules) {
    if (rules.fcntl) {
        struct flock whole {};
        whole.l_type = F_WRLCK;
        whole.l_whence = SEEK_SET;
        if (::fcntl(fd, F_SETLK, &whole) != 0)
            return errno == EACCES ? EAGAIN : errno;
    }
    if (rules.flock && ::flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno;
    return 0;
}

Result<void> lock_file(int fd, const LockRules& rules) {
    for (int attempt = 1;; ++attempt) {
        int err = try_lock(fd, rules);
        if (err == 0)
            return {};
        if ((err != EAGAIN && err != EINTR) || attempt >= rules.attempts)
            return mailbox_error("unable to lock for exclusive access", err);
        std::this_thread::sleep_for(rules.pause);
    }
}
}
