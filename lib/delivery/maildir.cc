// Adding to a maildir (see delivery/mailbox.h): the file is made in tmp/, synced, moved to new/ under a name with its
// inode's number (unique on this file system as long as the file exists), and new/ is synced. On the local file systems
// that write a file's name with the file, as the queue expects of its own (DESIGN.md, section 3), it is moved first,
// and one fsync does both.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/magic.h>
#include <sys/vfs.h>
#endif
#include <cerrno>
#include <fmt/format.h>
#include "base/fd.h"
#include "base/time.h"
#include "delivery/mailbox.h"
#include "delivery/mailbox_lock.h"
#include "log/log.h"
#include "queue/directories.h"

namespace delivery {
namespace {
std::string host_name() {
    char name[256] = "";
    if (::gethostname(name, sizeof name - 1) != 0 || name[0] == 0)
        return "localhost";
    std::string host = name;
    for (char& c : host)
        if (c == '/' || c == ':' || static_cast<unsigned char>(c) <= 32)
            c = '_';
    return host;
}

// Every level of the path (which ends in '/') that is missing, and its name on stable storage.
Result<void> make_path(const std::string& path) {
    int why = 0;
    for (std::size_t end = path.find('/', 1); end != path.npos; end = path.find('/', end + 1)) {
        if (::mkdir(path.substr(0, end).c_str(), 0700) != 0) {
            if (errno != EEXIST && why == 0)
                why = errno;  // that it was in the way shows at the last level
            if (errno != EEXIST && end + 1 == path.size())
                return mailbox_error("create maildir " + path, why);
            continue;
        }
        const std::string parent = path.substr(0, path.rfind('/', end - 1) + 1);
        TRY(sync_names(parent));
    }
    return {};
}

// The maildir and its three directories, where they are missing.
Result<void> make_directories(const std::string& maildir) {
    TRY(make_path(maildir));
    for (const char* part : {"tmp", "new", "cur"})
        if (::mkdir((maildir + part).c_str(), 0700) != 0 && errno != EEXIST)
            return mailbox_error("create maildir " + maildir + part, errno);
    return sync_names(maildir);
}

// Not where other hosts may read (NFS): they would see the name before the content.
bool syncs_names([[maybe_unused]] int fd) {
#ifdef __linux__
    struct statfs fs {};
    if (::fstatfs(fd, &fs) != 0)
        return false;
    constexpr std::int64_t xfs = 0x58465342;  // in <linux/magic.h> since 6.2 only
    const auto type = static_cast<std::int64_t>(fs.f_type);
    return type == EXT4_SUPER_MAGIC || type == BTRFS_SUPER_MAGIC || type == xfs;
#else
    return false;
#endif
}

constexpr int new_file = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
}

std::string maildir_name(std::int64_t seconds, std::int32_t microseconds, std::uint64_t device, std::uint64_t inode,
                         std::string_view host) {
    return fmt::format("{}.V{:x}I{:x}M{}.{}", seconds, device, inode, microseconds, host);
}

Result<void> add_to_maildir(const MailboxTarget& target, const std::function<Result<void>(const Sink&)>& write) {
    TakeRights user(target.rights);
    base::WallTime now = base::wall_now();
    std::string host = host_name();
    std::string temporary_path = fmt::format("{}tmp/{}.P{}.{}", target.path, now.seconds, ::getpid(), host);
    UniqueFd fd(::open(temporary_path.c_str(), new_file, 0600));
    if (!fd && errno == ENOENT) {
        if (auto made = make_directories(target.path); !made)
            errno = made.error().sys_errno;
        else
            fd = UniqueFd(::open(temporary_path.c_str(), new_file, 0600));
    }
    if (!fd && errno == EEXIST) {
        // Left over by a process of our number that was killed within this second.
        ::unlink(temporary_path.c_str());
        fd = UniqueFd(::open(temporary_path.c_str(), new_file, 0600));
    }
    if (!fd) {
        int err = errno;
        maillog::warning("maildir access problem for UID/GID={}/{}: create maildir file {}: {}", target.rights.uid,
                         target.rights.gid, temporary_path, errno_text(err));
        maillog::warning("perhaps you need to create the maildirs in advance");
        return mailbox_error("create maildir file " + temporary_path, err);
    }
    std::string current = temporary_path;
    auto deliver = [&]() -> Result<void> {
        std::int64_t length = 0;
        TRY(write([&](std::string_view text) -> Result<void> {
            length += static_cast<std::int64_t>(text.size());
            if (target.size_limit > 0 && length > target.size_limit)
                return mailbox_error("error writing message", EFBIG);
            if (auto written = write_all(fd.get(), text); !written)
                return mailbox_error("error writing message", written.error().sys_errno);
            return {};
        }));
        struct stat st {};
        if (::fstat(fd.get(), &st) != 0)
            return mailbox_error("cannot look at " + temporary_path, errno);
        const bool once = syncs_names(fd.get());
        if (!once && ::fsync(fd.get()) != 0)
            return mailbox_error("error writing message", errno);
        std::string name = maildir_name(now.seconds, now.microseconds, static_cast<std::uint64_t>(st.st_dev),
                                        static_cast<std::uint64_t>(st.st_ino), host);
        std::string path = target.path + "new/" + name;
        if (auto moved = queue::rename_path(temporary_path, path); !moved)
            return mailbox_error("create maildir file " + path, moved.error().sys_errno);
        current = std::move(path);
        if (once && ::fsync(fd.get()) != 0)
            return mailbox_error("error writing message", errno);
        TRY(fd.close_checked());
        if (!once)
            TRY(sync_names(target.path + "new"));
        return {};
    };
    Result<void> done = deliver();
    if (!done)
        ::unlink(current.c_str());
    return done;
}
}
