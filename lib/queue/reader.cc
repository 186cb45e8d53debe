// RecordReader: see queue/file.h.
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include "base/bytes.h"
#include "queue/file.h"

namespace queue {
bool is_damage(const Error& error) { return error.sys_errno == EBADMSG; }
Failure damage(std::string reason) { return Failure(Error{{5, 3, 0}, std::move(reason), EBADMSG}); }

Result<std::string_view> RecordReader::bytes_at(std::int64_t offset, std::size_t wanted) {
    const std::int64_t end = start_ + static_cast<std::int64_t>(have_);
    if (offset >= start_ && (offset + static_cast<std::int64_t>(wanted) <= end || (at_end_of_file_ && offset <= end)))
        return std::string_view(buffer_.get() + (offset - start_), static_cast<std::size_t>(end - offset));
    // What is left over moves to the front, so that a sequential read takes each byte from the file once.
    const std::size_t left = offset >= start_ && offset < end ? static_cast<std::size_t>(end - offset) : 0,
                      goal = std::max(wanted, chunk_);
    const char* from = buffer_.get() + (have_ - left);
    if (goal > size_) {
        auto larger = std::make_unique_for_overwrite<char[]>(goal);
        if (left)
            std::memcpy(larger.get(), from, left);
        buffer_ = std::move(larger);
        size_ = goal;
    } else if (left) {
        std::memmove(buffer_.get(), from, left);
    }
    start_ = offset;
    have_ = left;
    at_end_of_file_ = false;
    while (have_ < goal) {
        ssize_t n = ::pread(fd_, buffer_.get() + have_, goal - have_, start_ + static_cast<std::int64_t>(have_));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int error = errno;
            have_ = 0;
            return system_error("read queue file", error);
        }
        have_ += static_cast<std::size_t>(n);
        if (n == 0 || have_ >= wanted)
            break;
    }
    at_end_of_file_ = have_ < goal;  // a regular file gives less only there
    return std::string_view(buffer_.get(), have_);
}

// Each record is met once, wherever pointers lead: who has read more than the file holds goes round in a circle.
static Result<void> check_circle(int fd, std::int64_t passed) {
    struct stat st {};
    if (::fstat(fd, &st) == 0 && passed > st.st_size)
        return damage("pointer records form a loop");
    return {};
}

Result<std::optional<RecordReader::Item>> RecordReader::next() {
    for (;;) {
        std::size_t wanted = 6, needed = 0;  // a type, and as long a length as may be
        Record record{};
        std::string_view rest;
        for (;;) {
            TRY_ASSIGN(rest, bytes_at(next_, wanted));
            if (rest.empty())
                return std::optional<Item>();
            std::string_view before = rest;
            Decoded what = decode(rest, record, needed);
            if (what == Decoded::record)
                break;
            if (what == Decoded::damaged)
                return damage("record length is out of range");
            if (before.size() >= wanted && needed > wanted) {
                wanted = needed;
                continue;
            }
            return damage("record is cut short");
        }
        Item item{record.type, record.payload, next_};
        next_ += static_cast<std::int64_t>(needed);
        passed_ += static_cast<std::int64_t>(needed);
        if (record.type == RecordType::pointer) {
            auto target = bytes::to_int(bytes::trim(record.payload));
            if (!target || *target < 0)
                return damage("pointer record holds no number");
            if (follow_ && *target != 0) {
                next_ = *target;
                TRY(check_circle(fd_, passed_));
            }
        }
        if (!show_ && (record.type == RecordType::pointer || record.type == RecordType::padding))
            continue;
        return item;
    }
}
}
