#include "queue/file.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

namespace queue {
Result<QueueFile> QueueFile::adopt(UniqueFd fd, std::string path) {
    struct stat st{};
    if (::fstat(fd.get(), &st) != 0) return system_error("fstat " + path, errno);
    if (!S_ISREG(st.st_mode)) return damage(path + ": not a regular file");
    QueueFile file;
    file.fd_ = std::move(fd);
    file.path_ = std::move(path);
    file.bytes_ = st.st_size;
    file.modified_ = st.st_mtime;
    file.inode_ = static_cast<std::int64_t>(st.st_ino);
    file.mode_ = st.st_mode & 07777;
    return file;
}

// O_NONBLOCK: a fifo that someone put there must not hold us; on a regular file it changes nothing.
Result<QueueFile> QueueFile::open_path(const std::string& path, Access access) {
    UniqueFd fd(open_untimed(path.c_str(), (access == Access::update ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd) return system_error("open " + path, errno);
    return adopt(std::move(fd), path);
}

Result<QueueFile> QueueFile::open(const Directories& directories, std::string_view queue, const mail::QueueId& id, Access access) {
    return open_path(directories.path(queue, id), access);
}

static Result<bool> lock(int fd, int how) {
    while (::flock(fd, how | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return false;
        if (errno != EINTR) return system_error("flock", errno);
    }
    return true;
}
Result<bool> QueueFile::try_lock_shared() { return lock(fd(), LOCK_SH); }
Result<bool> QueueFile::try_lock_exclusive() { return lock(fd(), LOCK_EX); }
void QueueFile::unlock() { ::flock(fd(), LOCK_UN); }

Result<void> QueueFile::mark_done(std::int64_t offset) const {
    char type = static_cast<char>(RecordType::done);
    while (::pwrite(fd(), &type, 1, offset) != 1)
        if (errno != EINTR) return system_error("write " + path_, errno);
    return {};
}

Result<void> QueueFile::mark_warned(std::int64_t offset) const {
    std::string record;
    append(record, RecordType::warn_time, padded_number(0));
    while (::pwrite(fd(), record.data(), record.size(), offset) != static_cast<ssize_t>(record.size()))
        if (errno != EINTR) return system_error("write " + path_, errno);
    return {};
}

ContentReader::ContentReader(const QueueFile& file, const SizeRecord& size) : reader_(file.fd(), size.data_offset, 32768), from_(size.data_offset) {}

void ContentReader::rewind() {
    reader_.seek(from_);
    at_end_ = open_line_ = false;
}

Result<std::optional<ContentReader::Piece>> ContentReader::next() {
    if (at_end_) return std::optional<Piece>();
    for (;;) {
        TRY_ASSIGN(auto item, reader_.next());
        if (!item) return damage("content is cut short");
        if (item->type == RecordType::line || item->type == RecordType::part) return Piece{item->payload, item->type == RecordType::line};
        if (item->type == RecordType::killed) continue;
        if (item->type != RecordType::extracted) return damage("unexpected record in the content");
        at_end_ = true;
        return std::optional<Piece>();
    }
}

Result<bool> ContentReader::read(std::string& out, std::size_t enough, std::string_view line_end) {
    const std::size_t stop = out.size() + enough;
    while (out.size() < stop) {
        TRY_ASSIGN(auto piece, next());
        if (!piece) {
            if (std::exchange(open_line_, false)) out.append(line_end);
            return false;
        }
        out.append(piece->text);
        if (piece->ends_line) out.append(line_end);
        open_line_ = !piece->ends_line;
    }
    return true;
}
}
