#include "base/fd.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

void UniqueFd::reset() {
    if (fd_ >= 0)
        ::close(std::exchange(fd_, -1));
}

Result<void> UniqueFd::close_checked() {
    if (fd_ >= 0 && ::close(std::exchange(fd_, -1)) != 0 && errno != EINTR)
        return system_error("close", errno);
    return {};
}

Result<void> set_nonblocking(int fd, bool on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && ((flags & O_NONBLOCK) != 0) == on)
        return {};
    if (flags < 0 || fcntl(fd, F_SETFL, flags ^ O_NONBLOCK) < 0)
        return system_error("fcntl O_NONBLOCK", errno);
    return {};
}

Result<void> set_close_on_exec(int fd, bool on) {
    if (fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0)
        return system_error("fcntl FD_CLOEXEC", errno);
    return {};
}

Result<void> write_all(int fd, std::string_view data) {
    while (!data.empty()) {
        ssize_t n = ::write(fd, data.data(), data.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return system_error("write", errno);
        data.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd)
        return system_error("open " + path, errno);
    return read_file(fd, path, limit);
}

Result<void> sync_directory(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || (::fsync(fd.get()) != 0 && errno != EINVAL))
        return system_error("cannot sync directory " + path, errno);
    return {};
}

int open_untimed(const char* path, int flags) {
#ifdef O_NOATIME
    const int fd = ::open(path, flags | O_NOATIME);
    if (fd >= 0 || errno != EPERM)
        return fd;  // EPERM: another user's
#endif
    return ::open(path, flags);
}

Result<std::string> read_file(const UniqueFd& fd, const std::string& path, std::size_t limit) {
    struct stat st {};
    if (fstat(fd.get(), &st) == 0 && S_ISDIR(st.st_mode))
        return system_error("read " + path, EISDIR);
    std::string text;
    char buffer[16384];
    for (;;) {
        ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return system_error("read " + path, errno);
        if (n == 0)
            return text;
        if (text.size() + static_cast<std::size_t>(n) > limit)
            return temporary(path + ": larger than " + std::to_string(limit) + " bytes");
        text.append(buffer, static_cast<std::size_t>(n));
    }
}

void close_from(int first) {
#if defined(__linux__) && defined(CLOSE_RANGE_UNSHARE)
    if (close_range(static_cast<unsigned>(first), ~0u, 0) == 0)
        return;
#endif
    long most = sysconf(_SC_OPEN_MAX);
    for (int fd = first; fd < (most > 0 && most < 65536 ? most : 65536); ++fd)
        ::close(fd);
}
