#include "site_log.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <unordered_set>
#include "base/bytes.h"
#include "base/fd.h"

namespace flush {
static constexpr std::size_t log_most =
    16u << 20;  // a log that large is read no further: refresh asks for all it names anyway

std::string log_name(std::string_view site) {
    std::string name;
    if (site.empty() || site.size() > 200)
        return name;
    for (char c : site)
        name += bytes::is_alnum(c) ? bytes::lower(c) : '_';
    return name;
}

// Hashed where hash_queue_names has "flush", by the first letters of the name.
static std::string path_of(const queue::Directories& directories, const std::string& name) {
    std::string path = directories.directory(queue::flush_log) + '/';
    if (directories.hashes(queue::flush_log))
        for (int level = 0; level < directories.depth(); ++level) {
            path += static_cast<std::size_t>(level) < name.size() ? name[static_cast<std::size_t>(level)] : '_';
            path += '/';
        }
    return path + name;
}

static Result<UniqueFd> open_locked(const std::string& path, int flags) {
    UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd)
        return system_error("open " + path, errno);
    while (::flock(fd.get(), LOCK_EX) != 0)
        if (errno != EINTR)
            return system_error("lock " + path, errno);
    return fd;
}

Result<void> append(const queue::Directories& directories, const std::string& name, const mail::QueueId& id) {
    const std::string path = path_of(directories, name);
    auto fd = open_locked(path, O_CREAT | O_WRONLY | O_APPEND);
    if (!fd && fd.error().sys_errno == ENOENT) {
        TRY(directories.make_parents(path));
        fd = open_locked(path, O_CREAT | O_WRONLY | O_APPEND);
    }
    if (!fd)
        return tl::unexpected(fd.error());
    return write_all(fd->get(), id.text() + "\n");
}

Result<std::vector<mail::QueueId>> take_all(const queue::Directories& directories, const std::string& name) {
    std::vector<mail::QueueId> ids;
    auto fd = open_locked(path_of(directories, name), O_RDWR);
    if (!fd) {
        if (fd.error().sys_errno == ENOENT)
            return ids;
        return tl::unexpected(fd.error());
    }
    std::string text;
    char buffer[65536];
    for (ssize_t n; text.size() < log_most && (n = ::read(fd->get(), buffer, sizeof buffer)) != 0;) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return system_error("read flush log", errno);
        text.append(buffer, static_cast<std::size_t>(n));
    }
    if (::ftruncate(fd->get(), 0) != 0)
        return system_error("truncate flush log", errno);
    std::unordered_set<mail::QueueId> seen;
    for (auto line : bytes::split(text, "\n")) {
        auto id = mail::QueueId::parse(line);
        if (id && seen.insert(*id).second)
            ids.push_back(std::move(*id));
    }
    return ids;
}

Result<bool> release(const queue::Directories& directories, const mail::QueueId& id) {
    const std::string path = directories.path(queue::deferred, id);
    if (::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) != 0) {
        if (errno == ENOENT)
            return false;
        return system_error("touch " + path, errno);
    }
    auto moved = directories.rename(id, queue::deferred, queue::incoming);
    if (moved)
        return true;
    if (moved.error().sys_errno == ENOENT)
        return false;
    return tl::unexpected(moved.error());
}
}
