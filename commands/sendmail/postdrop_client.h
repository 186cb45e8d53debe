// A running postdrop: records go to it, what it says comes back.
//
// When things fail: Errors that name the program; a postdrop that ended early is noticed when its answer is read.
#pragma once
#include <sys/types.h>
#include <string>
#include <string_view>
#include <utility>
#include "base/error.h"
#include "base/fd.h"
#include "queue/record.h"

namespace sendmail {
class Postdrop {
public:
    // Starts command_directory/postdrop -r; comes back when it has a file.
    static Result<Postdrop> start(const std::string& program);
    Postdrop(Postdrop&& o) noexcept
        : program_(std::move(o.program_)),
          queue_id_(std::move(o.queue_id_)),
          buffer_(std::move(o.buffer_)),
          in_(std::move(o.in_)),
          out_(std::move(o.out_)),
          child_(std::exchange(o.child_, -1)),
          broken_(o.broken_) {}
    ~Postdrop();
    const std::string& queue_id() const { return queue_id_; }
    // Gathers; a write that fails is remembered, the answer tells why.
    void put(queue::RecordType type, std::string_view payload);
    struct Answer {
        int status = 0;
        std::string reason;
    };
    Result<Answer> finish();

private:
    Postdrop() = default;
    void flush();
    Result<std::string> read_message();
    std::string program_, queue_id_, buffer_;
    UniqueFd in_, out_;  // its standard input; its standard output
    pid_t child_ = -1;
    bool broken_ = false;
};
}
