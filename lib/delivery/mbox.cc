// Appending to an mbox (see delivery/mailbox.h).
//
// The file is opened as the user, never through a symbolic link, and looked at after it was opened: a regular file has
// one name and, with strict_mailbox_ownership, is the user's; a device or FIFO is taken only where the target allows
// it. So a user who plants links in a shared spool directory gets mail into no file but the mailbox. Where only root
// may write the spool directory, root makes the missing file (O_EXCL: no link is followed) and gives it to the user.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include "base/fd.h"
#include "delivery/mailbox.h"
#include "delivery/mailbox_lock.h"
#include "log/log.h"

namespace delivery {
namespace {
tl::unexpected<Error> refused(std::string why, EnhancedStatus status = {5, 2, 0}) {
    return tl::unexpected(Error{status, std::move(why), 0});
}

std::string parent_of(const std::string& path) {
    std::size_t slash = path.rfind('/');
    return slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

struct Opened {
    UniqueFd fd;
    bool created;
};

// As the user. Unreadable files, devices and FIFOs are opened for writing alone: were we a FIFO's reader too, what is
// written to it without another would be lost. Not open: errno says why.
UniqueFd open_existing(const MailboxTarget& target) {
    constexpr int flags = O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    if (target.only_regular)
        return UniqueFd(::open(target.path.c_str(), O_RDWR | flags));
    UniqueFd fd(::open(target.path.c_str(), O_WRONLY | flags));
    struct stat st {};
    if (!fd || ::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode))
        return fd;
    UniqueFd readable(::open(target.path.c_str(), O_RDWR | flags));
    return readable ? std::move(readable) : std::move(fd);
}

// Existing file as the user, then a new one; twice, since others may make or remove it meanwhile.
Result<Opened> open_mbox(const MailboxTarget& target) {
    const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    for (int round = 0; round < 2; ++round) {
        {
            TakeRights user(target.rights);
            UniqueFd fd = open_existing(target);
            if (fd)
                return Opened{std::move(fd), false};
            if (errno == ELOOP || errno == EMLINK)
                return refused("cannot open file: it is a symbolic link");
            if (errno != ENOENT)
                return mailbox_error("cannot open file", errno);
            if (!target.spool_as_root) {
                UniqueFd made(::open(target.path.c_str(), flags | O_CREAT | O_EXCL, 0600));
                if (made)
                    return Opened{std::move(made), true};
                if (errno != EEXIST)
                    return mailbox_error("cannot create file exclusively", errno);
                continue;
            }
        }
        TakeRights root(root_rights);
        UniqueFd made(::open(target.path.c_str(), flags | O_CREAT | O_EXCL, 0600));
        if (made) {
            // In a spool that only its group may write to, the group is the spool's, whatever its set-gid bit: programs
            // that read mail there may count on it.
            struct stat spool {};
            const std::string directory = target.path.substr(0, target.path.rfind('/') + 1);
            const bool known = ::stat(directory.c_str(), &spool) == 0;
            const gid_t group = (spool.st_mode & S_IWOTH) != 0 ? target.rights.gid : spool.st_gid;
            if (conf::can_take_rights() && (!known || ::fchown(made.get(), target.rights.uid, group) != 0)) {
                int err = errno;
                ::unlink(target.path.c_str());
                return mailbox_error("cannot change the owner of a new file", err);
            }
            return Opened{std::move(made), true};
        }
        if (errno != EEXIST)
            return mailbox_error("cannot create file exclusively", errno);
    }
    return refused("cannot open file: it comes and goes", {4, 2, 0});
}

Result<void> check_file(const struct stat& st, const MailboxTarget& target) {
    if (!S_ISREG(st.st_mode)) {
        if (target.only_regular || S_ISDIR(st.st_mode))
            return refused("destination " + target.path + " is not a regular file");
        return {};
    }
    if (st.st_nlink != 1)
        return refused("file has " + std::to_string(st.st_nlink) + " hard links");
    if (target.strict_ownership && conf::can_take_rights() && st.st_uid != target.rights.uid) {
        maillog::warning("specify \"strict_mailbox_ownership = no\" to ignore mailbox ownership mismatch");
        return refused("destination " + target.path + " is not owned by recipient", {4, 2, 0});
    }
    return {};
}

// What a device or FIFO does not take at once (it stays non-blocking) defers the mail: nobody is waited for whom a user
// chose.
Result<void> append(int fd, std::string_view text, const MailboxTarget& target, std::int64_t& length, bool regular) {
    if (regular && target.size_limit > 0 && length + static_cast<std::int64_t>(text.size()) > target.size_limit)
        return mailbox_error("error writing message", EFBIG);
    if (auto written = write_all(fd, text); !written)
        return mailbox_error("error writing message", written.error().sys_errno);
    length += static_cast<std::int64_t>(text.size());
    return {};
}

// What a power cut left of a delivery that was under way has no end: without one the next message would read as part of
// it.
Result<void> end_last_message(int fd, const MailboxTarget& target, std::int64_t& length) {
    char last = '\n';
    if (length == 0 || ::pread(fd, &last, 1, length - 1) != 1 || last == '\n')
        return {};
    maillog::warning("{}: the last message there is cut short", target.path);
    return append(fd, "\n\n", target, length, true);
}
}

Result<std::int64_t> append_to_mbox(const MailboxTarget& target,
                                    const std::function<Result<void>(const Sink&)>& write) {
    // The lock file comes first: programs that know no other lock may be about to put a new file in the mailbox's
    // place.
    DotLock dot_lock;
    struct stat st {};
    const Rights& in_directory = target.spool_as_root ? root_rights : target.rights;
    std::optional<TakeRights> taken(in_directory);
    bool special = !target.only_regular && ::stat(target.path.c_str(), &st) == 0 && !S_ISREG(st.st_mode);
    if (target.locks.dotlock && !special) {
        Result<void> locked = dot_lock.take(target.path, target.locks);
        if (!locked && (!target.lock_file_optional || locked.error().sys_errno == EEXIST))
            return tl::unexpected(locked.error());
        if (!locked)
            maillog::warning("{}", locked.error().reason);
    }
    taken.reset();

    auto deliver = [&]() -> Result<std::int64_t> {
        TRY_ASSIGN(Opened file, open_mbox(target));
        const int fd = file.fd.get();
        if (::fstat(fd, &st) != 0)
            return mailbox_error("cannot look at the file", errno);
        TRY(check_file(st, target));
        const bool regular = S_ISREG(st.st_mode);
        if (regular)
            TRY(lock_file(fd, target.locks));
        const std::int64_t before = regular ? ::lseek(fd, 0, SEEK_END) : 0;
        if (before < 0)
            return mailbox_error("cannot find the end of the file", errno);
        std::int64_t length = before;
        Result<void> done = regular ? end_last_message(fd, target, length) : Result<void>();
        if (done)
            done = write([&](std::string_view text) { return append(fd, text, target, length, regular); });
        if (done && regular && ::fsync(fd) != 0)
            done = mailbox_error("error writing message", errno);
        if (done && file.created) {
            TakeRights writer(in_directory);
            done = sync_names(parent_of(target.path));
        }
        if (!done && regular && ::ftruncate(fd, before) != 0)
            maillog::warning("{}: cannot cut the mailbox back to {} bytes: {}", target.path, before, errno_text(errno));
        TRY(done);
        TRY(file.fd.close_checked());
        return before;
    };
    Result<std::int64_t> result = deliver();
    taken.emplace(in_directory);
    dot_lock.release();
    return result;
}
}
