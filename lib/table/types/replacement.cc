#include "table/types/replacement.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <fmt/format.h>

namespace table {
namespace {
// Open file description locks belong to the descriptor, so that closing another descriptor of the file does not drop
// them; they conflict with other processes' POSIX locks as they should.
#ifdef F_OFD_SETLK
constexpr int set_lock = F_OFD_SETLK, set_lock_wait = F_OFD_SETLKW;
#else
constexpr int set_lock = F_SETLK, set_lock_wait = F_SETLKW;
#endif

std::string resolved(const std::string& path) {
    char buffer[PATH_MAX];
    return realpath(path.c_str(), buffer) ? std::string(buffer) : path;
}

Result<void> copy_bytes(int from, int to) {
    char buffer[65536];
    for (;;) {
        ssize_t n = ::read(from, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return system_error("read table", errno);
        if (n == 0)
            return {};
        TRY(write_all(to, std::string_view(buffer, static_cast<std::size_t>(n))));
    }
}
}

Result<void> lock_file(int fd, bool exclusive, bool wait) {
    struct flock lock {};
    lock.l_type = exclusive ? F_WRLCK : F_RDLCK;
    lock.l_whence = SEEK_SET;
    while (fcntl(fd, wait ? set_lock_wait : set_lock, &lock) != 0)
        if (errno != EINTR)
            return system_error("lock table", errno);
    return {};
}

void unlock_file(int fd) {
    struct flock lock {};
    lock.l_type = F_UNLCK;
    lock.l_whence = SEEK_SET;
    fcntl(fd, set_lock, &lock);
}

Replacement::Replacement(Replacement&& o) noexcept
    : target_(std::move(o.target_)),
      work_(std::move(o.work_)),
      lock_(std::move(o.lock_)),
      mode_(o.mode_),
      in_place_(o.in_place_),
      done_(std::exchange(o.done_, true)) {}

Result<Replacement> Replacement::begin(const std::string& path, unsigned create_mode, bool copy) {
    Replacement made;
    made.target_ = resolved(path);
    made.mode_ = create_mode;
    made.done_ = true;  // nothing to take away yet
    made.lock_ = UniqueFd(open(made.target_.c_str(), O_RDWR | O_CLOEXEC));
    if (!made.lock_ && errno != ENOENT)
        return system_error("open database " + path, errno);
    if (!made.lock_ && copy)
        return system_error("open database " + path, ENOENT);
    if (made.lock_)
        TRY(lock_file(made.lock_.get(), true));

    std::size_t slash = made.target_.rfind('/');
    std::string base = slash == std::string::npos ? made.target_ : made.target_.substr(slash + 1);
    made.work_ =
        (slash == std::string::npos ? std::string() : made.target_.substr(0, slash + 1)) + "." + base + ".XXXXXX";
    UniqueFd work(mkostemp(made.work_.data(), O_CLOEXEC));
    if (!work) {
        if (!made.lock_ || (errno != EACCES && errno != EPERM && errno != EROFS))
            return system_error("create database " + path, errno);
        made.in_place_ = true;
        made.work_ = made.target_;
        return made;
    }
    made.done_ = false;
    if (copy)
        TRY(copy_bytes(made.lock_.get(), work.get()));
    return made;
}

Replacement::~Replacement() {
    if (!done_ && !in_place_)
        unlink(work_.c_str());
}

Result<void> Replacement::finish() {
    UniqueFd work(open(work_.c_str(), O_RDWR | O_CLOEXEC));
    if (!work)
        return system_error("open database " + work_, errno);
    if (!in_place_) {
        struct stat old {};
        bool replaces = lock_ && fstat(lock_.get(), &old) == 0;
        if (replaces && (old.st_uid != geteuid() || old.st_gid != getegid()) &&
            fchown(work.get(), old.st_uid, old.st_gid) != 0)
            static_cast<void>(
                fchown(work.get(), static_cast<uid_t>(-1), old.st_gid));  // not root: the group alone, if that
        if (fchmod(work.get(), replaces ? old.st_mode & 0777 : mode_) != 0)
            return system_error("chmod " + work_, errno);
    }
    if (fsync(work.get()) != 0)
        return system_error("sync " + work_, errno);
    TRY(work.close_checked());
    if (!in_place_ && rename(work_.c_str(), target_.c_str()) != 0)
        return system_error(fmt::format("rename {} to {}", work_, target_), errno);
    done_ = true;
    return {};
}
}
