// A file descriptor that closes itself. After writing a file that matters, close_checked() by hand and look at the
// result.
#pragma once
#include <cstddef>
#include <string_view>
#include <utility>
#include "base/error.h"

class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& o) noexcept {
        if (this != &o) {
            reset();
            fd_ = std::exchange(o.fd_, -1);
        }
        return *this;
    }
    ~UniqueFd() { reset(); }
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset();
    [[nodiscard]] Result<void> close_checked();

private:
    int fd_ = -1;
};

// Flags of fcntl(2); both return the descriptor's errors.
Result<void> set_nonblocking(int fd, bool on = true);
Result<void> set_close_on_exec(int fd, bool on = true);
// Writes all of data to a blocking descriptor, restarting after EINTR and short writes.
Result<void> write_all(int fd, std::string_view data);
// The whole file, at most limit bytes (an Error when there are more).
Result<std::string> read_file(const std::string& path, std::size_t limit = 64u << 20);
Result<std::string> read_file(const UniqueFd& open, const std::string& path, std::size_t limit);
// The names in a directory, on stable storage. Where the file system has no such thing (EINVAL), nothing is done.
Result<void> sync_directory(const std::string& path);
// open(2) of a file whose time of access nobody asks for: where it is ours, reading it then writes nothing. A queue
// file's time of modification is in the future, so that even with relatime each reading of it would be a change of its
// inode (8.8 µs a file instead of 5.1).
int open_untimed(const char* path, int flags);
// Closes every descriptor from first up that is open.
void close_from(int first);
