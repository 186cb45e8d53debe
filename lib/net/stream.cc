#include "net/stream.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

namespace net {
namespace {
constexpr std::size_t read_size = 64 * 1024;  // small messages arrive in one, large ones in few
constexpr std::size_t write_size = 64 * 1024;
// Shared by all streams of the thread: nothing waits between filling it and copying from it, and a waiting fiber's
// stack stays small.
char* shared_buffer() {
    thread_local const auto buffer = std::make_unique_for_overwrite<char[]>(read_size);
    return buffer.get();
}
bool lost(int err) { return err == ECONNRESET || err == EPIPE || err == ETIMEDOUT; }
}

Stream::Stream(UniqueFd fd) : fd_(std::move(fd)), watch_(fd_.get()) {
    if (fd_)
        (void)set_nonblocking(fd_.get());
}
Stream::~Stream() { watch_.reset(); }

tl::unexpected<Error> Stream::fail(Failure kind, int err, const char* what) {
    failure_ = kind;
    std::string reason = kind == Failure::timeout ? "timeout"
                         : kind == Failure::lost  ? "lost connection"
                                                  : std::string(what) + ": " + errno_text(err);
    return tl::unexpected(Error{{4, 4, 2}, std::move(reason), err});
}

// --- reading

Result<ssize_t> Stream::of_layer(Layer::Step step, Layer::Want& want) {
    want = step.want;
    if (want == Layer::Want::nothing && step.transferred < 0) {
        failure_ = lost(step.error.sys_errno) ? Failure::lost : Failure::error;
        return tl::unexpected(std::move(step.error));
    }
    return step.transferred;
}

Result<ssize_t> Stream::of_call(ssize_t n, Layer::Want& want, Layer::Want otherwise, const char* what) {
    want = Layer::Want::nothing;
    if (n >= 0)
        return n;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return fail(lost(errno) ? Failure::lost : Failure::error, errno, what);
    want = otherwise;
    return n;
}

Result<ssize_t> Stream::read_now(char* to, std::size_t most, Layer::Want& want) {
    if (layer_)
        return of_layer(layer_->read(to, most), want);
    ssize_t n;
    do
        n = ::read(fd_.get(), to, most);
    while (n < 0 && errno == EINTR);
    return of_call(n, want, Layer::Want::read, "read");
}

Result<void> Stream::wait(Layer::Want want, Deadline deadline, const char* what) {
    if (each_wait_)
        deadline = loop::in(*each_wait_);
    if ((want == Layer::Want::write ? watch_.writable(deadline) : watch_.readable(deadline)) == loop::Wait::timed_out)
        return fail(Failure::timeout, ETIMEDOUT, what);
    return {};
}

Result<void> Stream::fill(Deadline deadline) {
    if (pending())
        TRY(flush(deadline));
    settle();
    if (in_at_ == in_.size()) {
        in_.clear();
        in_at_ = 0;
    } else if (in_at_ > in_.size() / 2) {
        in_.erase(0, in_at_);
        in_at_ = 0;
    }
    char* const buffer = shared_buffer();
    for (;;) {
        Layer::Want want;
        ssize_t n;
        TRY_ASSIGN(n, read_now(buffer, read_size, want));  // an idle stream keeps only what came
        if (want == Layer::Want::nothing && n > 0)
            in_.append(buffer, static_cast<std::size_t>(n));
        if (want != Layer::Want::nothing) {
            TRY(wait(want, deadline, "read"));
            continue;
        }
        end_ = n == 0;
        bytes_read_ += static_cast<std::uint64_t>(n);
        return {};
    }
}

Result<std::string_view> Stream::read_until(char end, std::size_t most, Deadline deadline) {
    settle();
    for (std::size_t scanned = 0;;) {
        std::string_view have = buffered();
        std::size_t at = have.find(end, scanned);
        if (at != have.npos && at <= most) {
            drop_ = at + 1;
            return have.substr(0, at);
        }
        if (have.size() > most)
            return tl::unexpected(Error{{4, 5, 2}, "value longer than " + std::to_string(most) + " bytes", EMSGSIZE});
        scanned = have.size();
        if (end_)
            return fail(Failure::lost, 0, "read");
        TRY(fill(deadline));
    }
}

Result<Stream::Line> Stream::read_line(std::size_t most, Deadline deadline) {
    settle();
    for (std::size_t scanned = 0;;) {
        std::string_view have = buffered();
        std::size_t at = have.find('\n', scanned);
        if (at != have.npos && at <= most + 1) {
            bool crlf = at > 0 && have[at - 1] == '\r';
            drop_ = at + 1;
            return Line{have.substr(0, at - crlf), true, crlf};
        }
        if (have.size() > most + 1) {
            drop_ = most > 1 && have[most - 1] == '\r' ? most - 1 : most;  // CR LF stays together
            return Line{have.substr(0, drop_), false, false};
        }
        scanned = have.size();
        if (end_)
            return fail(Failure::lost, 0, "read");
        TRY(fill(deadline));
    }
}

Result<std::string_view> Stream::read_some(std::size_t most, Deadline deadline) {
    settle();
    if (buffered().empty() && !end_)
        TRY(fill(deadline));
    std::string_view have = buffered().substr(0, most);
    drop_ = have.size();
    return have;
}

Result<void> Stream::read_exact(char* to, std::size_t n, Deadline deadline) {
    while (n > 0) {
        TRY_ASSIGN(std::string_view some, read_some(n, deadline));
        if (some.empty())
            return fail(Failure::lost, 0, "read");
        std::memcpy(to, some.data(), some.size());
        to += some.size();
        n -= some.size();
    }
    return {};
}

std::string_view Stream::peek() {
    settle();
    if (!buffered().empty() || end_)
        return buffered();
    Layer::Want want;
    char* const buffer = shared_buffer();
    auto n = read_now(buffer, read_size, want);
    if (!n || (want == Layer::Want::nothing && *n == 0))
        end_ = true;
    else if (want == Layer::Want::nothing) {
        in_.assign(buffer, static_cast<std::size_t>(*n));
        in_at_ = 0;
        bytes_read_ += static_cast<std::uint64_t>(*n);
    }
    return buffered();
}

loop::Wait Stream::wait_input(Deadline deadline) {
    if (!peek().empty() || end_)
        return loop::Wait::ready;
    return wait_readable(deadline);
}

void Stream::consume(std::size_t n) {
    settle();
    in_at_ += std::min(n, buffered().size());
}
void Stream::discard_input() {
    in_.clear();
    in_at_ = drop_ = 0;
}

// --- writing

Result<ssize_t> Stream::write_now(std::string_view data, Layer::Want& want) {
    if (layer_)
        return of_layer(layer_->write(data.data(), data.size()), want);
    ssize_t n;
    do {
        n = ::send(fd_.get(), data.data(), data.size(), MSG_NOSIGNAL);
        if (n < 0 && errno == ENOTSOCK)
            n = ::write(fd_.get(), data.data(), data.size());  // a FIFO or a pipe
    } while (n < 0 && errno == EINTR);
    return of_call(n, want, Layer::Want::write, "write");
}

Result<void> Stream::send(std::string_view data, std::size_t& sent, Deadline deadline) {
    while (sent < data.size()) {
        Layer::Want want;
        TRY_ASSIGN(ssize_t n, write_now(data.substr(sent), want));
        if (want == Layer::Want::nothing)
            sent += static_cast<std::size_t>(n);
        else
            TRY(wait(want, deadline, "write"));
    }
    return {};
}

Result<void> Stream::write(std::string_view data, Deadline deadline) {
    if (pending() + data.size() > write_size) {
        TRY(flush(deadline));
        if (data.size() >= write_size) {
            std::size_t sent = 0;
            return send(data, sent, deadline);
        }
    }
    out_.append(data);
    return {};
}

Result<void> Stream::flush(Deadline deadline) {
    if (!pending())
        return {};
    std::size_t sent = 0;
    Result<void> done = send(std::string_view(out_).substr(out_at_), sent, deadline);
    out_at_ += sent;
    if (out_at_ == out_.size()) {
        out_.clear();
        out_at_ = 0;
    }
    return done;
}

// --- descriptors

namespace {
struct DescriptorMessage {  // one byte and room for one descriptor
    char byte = 0;
    iovec data{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr header{};
    DescriptorMessage() {
        header.msg_iov = &data;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
    }
};
}

Result<void> Stream::send_descriptor(int fd, Deadline deadline) {
    TRY(flush(deadline));
    DescriptorMessage m;
    cmsghdr* c = CMSG_FIRSTHDR(&m.header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
    for (;;) {
        if (sendmsg(fd_.get(), &m.header, MSG_NOSIGNAL) >= 0)
            return {};
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return fail(Failure::error, errno, "sendmsg");
        TRY(wait(Layer::Want::write, deadline, "sendmsg"));
    }
}

Result<UniqueFd> Stream::receive_descriptor(Deadline deadline) {
    DescriptorMessage m;
    for (;;) {
        ssize_t n = recvmsg(fd_.get(), &m.header, MSG_CMSG_CLOEXEC);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            TRY(wait(Layer::Want::read, deadline, "recvmsg"));
            continue;
        }
        if (n < 0)
            return fail(Failure::error, errno, "recvmsg");
        if (n == 0)
            return fail(Failure::lost, 0, "recvmsg");
        cmsghdr* c = CMSG_FIRSTHDR(&m.header);
        if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len < CMSG_LEN(sizeof(int)))
            return temporary("a file descriptor was expected");
        int fd;
        std::memcpy(&fd, CMSG_DATA(c), sizeof fd);
        return UniqueFd(fd);
    }
}

// --- the stream itself

void Stream::release_buffers() {
    settle();
    if (buffered().empty()) {
        std::string().swap(in_);
        in_at_ = 0;
    }
    if (!pending()) {
        std::string().swap(out_);
        out_at_ = 0;
    }
}
void Stream::close() {
    if (layer_)
        layer_->shut_down();
    layer_.reset();
    watch_.reset();
    fd_.reset();
}
UniqueFd Stream::release() {
    watch_.reset();
    return std::move(fd_);
}

Result<std::pair<UniqueFd, UniqueFd>> stream_pair() {
    int fd[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
        return system_error("socketpair", errno);
    return std::make_pair(UniqueFd(fd[0]), UniqueFd(fd[1]));
}
}
