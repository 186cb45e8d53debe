// A buffered stream over a non-blocking descriptor, with deadlines, and optionally a layer (TLS) between buffer and
// descriptor. SMTP, the daemons' attribute lists and the commands all use it; in a fiber its waits yield, elsewhere
// they block in poll(2).
//
// Lines are bounded by their reader. Writing gathers until flush(); every read flushes first, so that a peer never
// waits for what we hold back. What a read returns is valid until the next read.
//
// When things fail: an Error with status 4.4.2 whose reason is "timeout", "lost connection" or the system's text;
// failure() tells which kind.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include "base/error.h"
#include "base/fd.h"
#include "loop/loop.h"

namespace net {
using loop::Deadline;

// What stands between buffer and descriptor. Its calls never wait.
struct Layer {
    enum class Want { nothing, read, write };  // what to wait for before calling again
    struct Step {
        Want want = Want::nothing;
        ssize_t transferred = 0;  // with Want::nothing: 0 is the end of the stream, -1 is `error`
        Error error{};
    };
    virtual ~Layer() = default;
    virtual Step read(char* to, std::size_t most) = 0;
    virtual Step write(const char* from, std::size_t n) = 0;
    virtual void shut_down() = 0;  // best effort
};

class Stream {
public:
    enum class Failure { none, timeout, lost, error };  // lost: the peer closed or reset

    explicit Stream(UniqueFd fd);  // takes the descriptor and makes it non-blocking
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    // --- reading
    // A line without its LF and without a CR before that. A line longer than `most` bytes comes in pieces: `complete`
    // is false on all but the last.
    struct Line {
        std::string_view text;
        bool complete;
        bool crlf;
    };
    Result<Line> read_line(std::size_t most, Deadline deadline);
    // Whatever is there, at least one byte, at most `most`; "" is the end of the stream.
    Result<std::string_view> read_some(std::size_t most, Deadline deadline);
    Result<void> read_exact(char* to, std::size_t n, Deadline deadline);
    // Up to and without the next `end`, which is taken; more than `most` bytes before it are an error.
    Result<std::string_view> read_until(char end, std::size_t most, Deadline deadline);
    // Bytes that have arrived and were not read. peek() also asks the descriptor, once, without waiting.
    std::string_view buffered() const { return std::string_view(in_).substr(in_at_ + drop_); }
    std::string_view peek();
    loop::Wait wait_input(Deadline deadline);  // until something is buffered, or can be read, or the end has come
    void consume(std::size_t n);               // takes n of the buffered bytes
    void discard_input();                      // plaintext before a TLS handshake is thrown away
    bool at_end() const { return end_; }

    // --- writing
    // Gathers; when more than 64 KiB are waiting it sends, which may take until the deadline.
    Result<void> write(std::string_view data, Deadline deadline = loop::never);
    Result<void> flush(Deadline deadline);
    std::size_t pending() const { return out_.size() - out_at_; }
    // What a peer that has left cannot be sent any more: reads, which flush first, then give what it said before.
    void discard_output() {
        out_.clear();
        out_at_ = 0;
    }

    // A descriptor along with one byte (SCM_RIGHTS): UNIX-domain streams only, with nothing buffered on the receiving
    // side.
    Result<void> send_descriptor(int fd, Deadline deadline);
    Result<UniqueFd> receive_descriptor(Deadline deadline);

    // From now on each single wait for the peer may take this long, whatever deadline the caller names; absent:
    // deadlines hold again.
    void limit_each_wait(std::optional<std::chrono::nanoseconds> time) { each_wait_ = time; }

    // --- the stream itself
    int fd() const { return fd_.get(); }
    // For the descriptor itself: input that was not read yet (under TLS perhaps half a record), room to write.
    loop::Wait wait_readable(Deadline deadline) { return watch_.readable(deadline); }
    loop::Wait wait_writable(Deadline deadline) { return watch_.writable(deadline); }
    void set_layer(std::unique_ptr<Layer> layer) { layer_ = std::move(layer); }
    Layer* layer() { return layer_.get(); }
    Failure failure() const { return failure_; }
    std::uint64_t bytes_read() const { return bytes_read_; }
    void release_buffers();  // an idle session keeps none
    void close();
    UniqueFd release();  // gives the descriptor away

private:
    tl::unexpected<Error> fail(Failure kind, int err, const char* what);
    // What one try came to; want: what to wait for before the next one.
    Result<ssize_t> of_layer(Layer::Step step, Layer::Want& want);
    Result<ssize_t> of_call(ssize_t n, Layer::Want& want, Layer::Want otherwise, const char* what);
    Result<ssize_t> read_now(char* to, std::size_t most, Layer::Want& want);  // 0 with Want::nothing is the end
    Result<ssize_t> write_now(std::string_view data, Layer::Want& want);
    Result<void> wait(Layer::Want want, Deadline deadline, const char* what);
    Result<void> fill(Deadline deadline);  // at least one byte more, or end_
    void settle() {
        in_at_ += drop_;
        drop_ = 0;
    }
    Result<void> send(std::string_view data, std::size_t& sent, Deadline deadline);

    UniqueFd fd_;
    loop::Watch watch_;
    std::unique_ptr<Layer> layer_;
    std::string in_, out_;
    std::size_t in_at_ = 0, out_at_ = 0;
    std::size_t drop_ = 0;  // bytes that the last read handed out
    std::uint64_t bytes_read_ = 0;
    std::optional<std::chrono::nanoseconds> each_wait_{};
    Failure failure_ = Failure::none;
    bool end_ = false;
};

// Two ends of a UNIX-domain stream, for tests and for talking to a child.
Result<std::pair<UniqueFd, UniqueFd>> stream_pair();
}
