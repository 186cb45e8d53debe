#include "queue/new_file.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <optional>
#include "loop/loop.h"

namespace queue {
static constexpr std::size_t buffer_most = 128 * 1024;  // small messages are one write
static constexpr std::size_t usual_size = 8 * 1024;

NewQueueFile::NewQueueFile(const Directories& directories, std::string queue, mail::QueueId id, base::WallTime created,
                           UniqueFd fd)
    : directories_(&directories), queue_(std::move(queue)), id_(std::move(id)), created_(created), fd_(std::move(fd)) {
    buffer_.reserve(usual_size);
    append(buffer_, RecordType::size, SizeRecord{}.text());
}

NewQueueFile::NewQueueFile(NewQueueFile&& o) noexcept
    : directories_(o.directories_),
      queue_(std::move(o.queue_)),
      id_(std::move(o.id_)),
      created_(o.created_),
      fd_(std::move(o.fd_)),
      buffer_(std::move(o.buffer_)),
      written_(o.written_),
      due_(o.due_),
      open_(std::exchange(o.open_, false)) {}

NewQueueFile::~NewQueueFile() { cancel(); }

namespace {
struct Created {
    UniqueFd fd;
    mail::QueueId id;
    base::WallTime time;
};

// Opens QUEUE/microseconds.pid: a name with a dot is never taken for a queue id, and postsuper -p removes what a crash
// left.
Result<UniqueFd> open_temporary(const Directories& directories, std::string_view queue, std::string& name) {
    static std::atomic<unsigned> serial{0};
    for (int attempt = 0; attempt < 1000; ++attempt) {
        name = directories.directory(queue) + '/' + std::to_string(base::wall_now().microseconds) +
               std::to_string(serial++ % 1000) + '.' + std::to_string(::getpid());
        UniqueFd fd(::open(name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, incomplete_mode));
        if (fd)
            return fd;
        if (errno != EEXIST && errno != EINTR)
            return system_error("create file " + name, errno);
    }
    return system_error("create file " + name, EEXIST);
}

Result<Created> create_file(const Directories& directories, std::string_view queue, bool long_id) {
    std::string name;
    TRY_ASSIGN(UniqueFd fd, open_temporary(directories, queue, name));
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0) {
        int error = errno;
        ::unlink(name.c_str());
        return system_error("fstat " + name, error);
    }
    for (int attempt = 0;; ++attempt) {
        base::WallTime now = base::wall_now();
        mail::QueueId id = mail::QueueId::make(now, st.st_ino, long_id);
        auto renamed = rename_path(name, directories.path(queue, id));
        if (renamed)
            return Created{std::move(fd), std::move(id), now};
        if (renamed.error().sys_errno != EEXIST || attempt == 1000) {
            ::unlink(name.c_str());
            return tl::unexpected(std::move(renamed.error()));
        }
    }
}
}

Result<NewQueueFile> NewQueueFile::create(const Directories& directories, std::string_view queue, bool long_id) {
    std::optional<Result<Created>> made;
    loop::file_job([&] { made = create_file(directories, queue, long_id); });
    if (!*made)
        return tl::unexpected(std::move(made->error()));
    Created& file = **made;
    return NewQueueFile(directories, std::string(queue), std::move(file.id), file.time, std::move(file.fd));
}

Result<void> NewQueueFile::flush() {
    TRY(write_all(fd_.get(), buffer_));
    written_ += static_cast<std::int64_t>(buffer_.size());
    buffer_.clear();
    return {};
}

Result<void> NewQueueFile::put(RecordType type, std::string_view payload) {
    append(buffer_, type, payload);
    if (buffer_.size() < buffer_most)
        return {};
    Result<void> flushed;
    loop::file_job([&] { flushed = flush(); });
    return flushed;
}

Result<void> NewQueueFile::put_attribute(std::string_view name, std::string_view value) {
    return put(RecordType::attribute, attribute_payload(name, value));
}

Result<void> NewQueueFile::put_encoded(std::string_view records) {
    buffer_.append(records);
    if (buffer_.size() < buffer_most)
        return {};
    Result<void> flushed;
    loop::file_job([&] { flushed = flush(); });
    return flushed;
}

Result<void> NewQueueFile::patch(std::int64_t at, std::string_view bytes) {
    if (at >= written_) {
        buffer_.replace(static_cast<std::size_t>(at - written_), bytes.size(), bytes);
        return {};
    }
    if (at + static_cast<std::int64_t>(bytes.size()) > written_) {
        Result<void> flushed;
        loop::file_job([&] { flushed = flush(); });
        TRY(flushed);
    }
    ssize_t n = -1;
    int error = 0;
    loop::file_job([&] {
        n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), at);
        error = errno;
    });
    if (n != static_cast<ssize_t>(bytes.size()))
        return system_error("write queue file " + id_.text(), n < 0 ? error : ENOSPC);
    return {};
}

Result<void> NewQueueFile::move(std::string_view queue) {
    if (queue == queue_)
        return {};
    Result<void> moved;
    loop::file_job([&] { moved = directories_->rename(id_, queue_, queue); });
    TRY(moved);
    queue_ = queue;
    return {};
}

// A step has been done. Only tests say false here.
static Result<void> step(std::string_view name) {
    if (NewQueueFile::after_step && !NewQueueFile::after_step(name))
        return temporary("stopped after " + std::string(name));
    return {};
}

Result<void> NewQueueFile::finish(const SizeRecord& size) {
    append(buffer_, RecordType::end);
    std::string first;
    append(first, RecordType::size, size.text());
    if (written_ == 0)
        buffer_.replace(0, first.size(), first);
    bool later = written_ != 0;
    TRY(flush());
    TRY(step("write"));
    if (later) {
        ssize_t n = ::pwrite(fd_.get(), first.data(), first.size(), 0);
        if (n != static_cast<ssize_t>(first.size()))
            return system_error("write", n < 0 ? errno : ENOSPC);
        TRY(step("size"));
    }
    if (due_ != 0) {
        timespec times[2] = {{due_, 0}, {due_, 0}};
        if (::futimens(fd_.get(), times) != 0)
            return system_error("futimens", errno);
    }
    if (::flock(fd_.get(), LOCK_EX) != 0)
        return system_error("flock", errno);  // nobody holds it: the file is incomplete
    if (::fchmod(fd_.get(), complete_mode) != 0)
        return system_error("fchmod", errno);
    TRY(step("mode"));
    if (::fsync(fd_.get()) != 0)
        return system_error("fsync", errno);
    TRY(step("sync"));
    return fd_.close_checked();
}

Result<void> NewQueueFile::commit(const SizeRecord& size) {
    Result<void> finished;
    loop::offload([&] { finished = finish(size); });
    if (!finished) {
        if (!after_step)
            cancel();
        open_ = false;
        finished.error().reason = "queue file " + id_.text() + ": " + finished.error().reason;
        return finished;
    }
    open_ = false;
    return {};
}

void NewQueueFile::cancel() {
    if (!open_)
        return;
    open_ = false;
    // Where it cannot be removed it is not to be taken, if that at least is possible.
    if (::unlink(path().c_str()) != 0 && errno != ENOENT)
        (void)::fchmod(fd_.get(), incomplete_mode);
    fd_.reset();
}
}
