#include "queue/file.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <fmt/format.h>

namespace queue {
Result<QueueFile> QueueFile::adopt(UniqueFd fd, std::string path) {
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0)
        return system_error("fstat " + path, errno);
    if (!S_ISREG(st.st_mode))
        return damage(path + ": not a regular file");
    QueueFile file;
    file.fd_ = std::move(fd);
    file.path_ = std::move(path);
    file.bytes_ = st.st_size;
    file.modified_ = st.st_mtime;
    file.inode_ = static_cast<std::int64_t>(st.st_ino);
    file.mode_ = st.st_mode & 07777;
    file.owner_ = st.st_uid;
    return file;
}

// The directory that holds the file, for a path with more than the queue's own directory (root's to make) in front of
// the name: what is below that mail_owner may have exchanged for a link. Unset where there is none such.
static Result<UniqueFd> hashed_directory(const std::string& path, std::string& name) {
    std::size_t slash = path.find('/'), next;
    if (slash == path.npos || slash == 0 || path.find('/', slash + 1) == path.npos)
        return UniqueFd();
    UniqueFd directory(::open(path.substr(0, slash).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (; directory && (next = path.find('/', slash + 1)) != path.npos; slash = next)
        directory = UniqueFd(::openat(directory.get(), path.substr(slash + 1, next - slash - 1).c_str(),
                                      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory)
        return system_error("open " + path, errno);
    name = path.substr(slash + 1);
    return directory;
}

// O_NONBLOCK: a fifo that someone put there must not hold us; on a regular file it changes nothing.
Result<QueueFile> QueueFile::open_path(const std::string& path, Access access) {
    const int flags = (access == Access::read ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    UniqueFd directory;
    std::string name = path;
    if (access == Access::deliver) {
        TRY_ASSIGN(directory, hashed_directory(path, name));
    }
    UniqueFd fd(directory ? ::openat(directory.get(), name.c_str(), flags) : open_untimed(path.c_str(), flags));
    if (!fd)
        return system_error("open " + path, errno);
    TRY_ASSIGN(QueueFile file, adopt(std::move(fd), path));
    if (access == Access::deliver && (file.owner_ != ::geteuid() || !file.complete() || (file.mode_ & 022) != 0))
        return damage(
            fmt::format("{}: no complete queue file of ours (uid {}, mode {:o})", path, file.owner_, file.mode_));
    return file;
}

Result<QueueFile> QueueFile::open(const Directories& directories, std::string_view queue, const mail::QueueId& id,
                                  Access access) {
    return open_path(directories.path(queue, id), access);
}

static Result<bool> lock(int fd, int how) {
    while (::flock(fd, how | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return false;
        if (errno != EINTR)
            return system_error("flock", errno);
    }
    return true;
}
Result<bool> QueueFile::try_lock_shared() { return lock(fd(), LOCK_SH); }
Result<bool> QueueFile::try_lock_exclusive() { return lock(fd(), LOCK_EX); }
void QueueFile::unlock() { ::flock(fd(), LOCK_UN); }

Result<void> QueueFile::mark_done(std::int64_t offset) const {
    char head[6];  // a type, and as long a length as may be
    const ssize_t n = ::pread(fd(), head, sizeof head, offset);
    if (n < 0)
        return system_error("read " + path_, errno);
    std::string_view begin(head, static_cast<std::size_t>(n));
    Record record{};
    std::size_t size = 0;
    const bool whole = decode(begin, record, size) != Decoded::damaged && size > 0 &&
                       offset + static_cast<std::int64_t>(size) <= bytes_;
    if (whole && head[0] == static_cast<char>(RecordType::done))
        return {};
    if (!whole || head[0] != static_cast<char>(RecordType::recipient))
        return damage(fmt::format("{}: no recipient's record at offset {}", path_, offset));
    const char type = static_cast<char>(RecordType::done);
    while (::pwrite(fd(), &type, 1, offset) != 1)
        if (errno != EINTR)
            return system_error("write " + path_, errno);
    return {};
}

Result<void> QueueFile::mark_warned(std::int64_t offset) const {
    std::string record;
    append(record, RecordType::warn_time, padded_number(0));
    while (::pwrite(fd(), record.data(), record.size(), offset) != static_cast<ssize_t>(record.size()))
        if (errno != EINTR)
            return system_error("write " + path_, errno);
    return {};
}

ContentReader::ContentReader(const QueueFile& file, const SizeRecord& size)
    : reader_(file.fd(), size.data_offset, 32768), from_(size.data_offset) {}

void ContentReader::rewind() {
    reader_.seek(from_);
    at_end_ = open_line_ = false;
}

Result<std::optional<ContentReader::Piece>> ContentReader::next() {
    if (at_end_)
        return std::optional<Piece>();
    for (;;) {
        TRY_ASSIGN(auto item, reader_.next());
        if (!item)
            return damage("content is cut short");
        if (item->type == RecordType::line || item->type == RecordType::part)
            return Piece{item->payload, item->type == RecordType::line};
        if (item->type == RecordType::killed)
            continue;
        if (item->type != RecordType::extracted)
            return damage("unexpected record in the content");
        at_end_ = true;
        return std::optional<Piece>();
    }
}

Result<bool> ContentReader::read(std::string& out, std::size_t enough, std::string_view line_end) {
    const std::size_t stop = out.size() + enough;
    while (out.size() < stop) {
        TRY_ASSIGN(auto piece, next());
        if (!piece) {
            if (std::exchange(open_line_, false))
                out.append(line_end);
            return false;
        }
        out.append(piece->text);
        if (piece->ends_line)
            out.append(line_end);
        open_line_ = !piece->ends_line;
    }
    return true;
}
}
