// RecordReader: see queue/file.h.
#include <unistd.h>
#include <cerrno>
#include <sys/stat.h>
#include "base/bytes.h"
#include "queue/file.h"

namespace queue {
bool is_damage(const Error& error) { return error.sys_errno == EBADMSG; }
Failure damage(std::string reason) { return Failure(Error{{5, 3, 0}, std::move(reason), EBADMSG}); }

Result<std::string_view> RecordReader::bytes_at(std::int64_t offset, std::size_t wanted) {
    std::int64_t end = start_ + static_cast<std::int64_t>(buffer_.size());
    if (offset >= start_ && (offset + static_cast<std::int64_t>(wanted) <= end || (at_end_of_file_ && offset <= end)))
        return std::string_view(buffer_).substr(static_cast<std::size_t>(offset - start_));
    // What is left over moves to the front, so that a sequential read takes each byte from the file once.
    if (offset >= start_ && offset < end) buffer_.erase(0, static_cast<std::size_t>(offset - start_));
    else buffer_.clear();
    start_ = offset;
    std::size_t have = buffer_.size();
    std::size_t goal = std::max(wanted, chunk_);
    buffer_.resize(goal);
    at_end_of_file_ = false;
    while (have < goal) {
        ssize_t n = ::pread(fd_, buffer_.data() + have, goal - have, start_ + static_cast<std::int64_t>(have));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) { int error = errno; buffer_.clear(); return system_error("read queue file", error); }
        have += static_cast<std::size_t>(n);
        if (n == 0 || have >= wanted) break;
    }
    at_end_of_file_ = have < goal;                             // a regular file gives less only there
    buffer_.resize(have);
    return std::string_view(buffer_);
}

// A file of n bytes cannot hold more than n/17 pointer records: more jumps than that go round in a circle.
static Result<void> check_jumps(int fd, std::size_t jumps) {
    struct stat st{};
    if (jumps % 64 == 0 && ::fstat(fd, &st) == 0 && jumps > static_cast<std::size_t>(st.st_size) / (pointer_payload + 2) + 64) return damage("pointer records form a loop");
    return {};
}

Result<std::optional<RecordReader::Item>> RecordReader::next() {
    for (;;) {
        std::size_t wanted = 6, needed = 0;                     // a type, and as long a length as may be
        Record record{};
        std::string_view rest;
        for (;;) {
            TRY_ASSIGN(rest, bytes_at(next_, wanted));
            if (rest.empty()) return std::optional<Item>();
            std::string_view before = rest;
            Decoded what = decode(rest, record, needed);
            if (what == Decoded::record) break;
            if (what == Decoded::damaged) return damage("record length is out of range");
            if (before.size() >= wanted && needed > wanted) { wanted = needed; continue; }
            return damage("record is cut short");
        }
        Item item{record.type, record.payload, next_};
        next_ += static_cast<std::int64_t>(needed);
        if (record.type == RecordType::pointer) {
            auto target = bytes::to_int(bytes::trim(record.payload));
            if (!target || *target < 0) return damage("pointer record holds no number");
            if (follow_ && *target != 0) {
                next_ = *target;
                ++jumps_;
                TRY(check_jumps(fd_, jumps_));
            }
        }
        if (!show_ && (record.type == RecordType::pointer || record.type == RecordType::padding)) continue;
        return item;
    }
}
}
