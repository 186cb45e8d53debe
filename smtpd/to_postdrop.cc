#include "to_postdrop.h"
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/fd.h"
#include "net/stream.h"
#include "queue/doors.h"

extern char** environ;

namespace smtpd {
using queue::RecordType;

namespace {
constexpr std::chrono::seconds patience(300);

// postdrop's conversation: an attribute list with the queue id, records, an attribute list with the status.
class ToPostdrop final : public ToQueue {
public:
    ToPostdrop(UniqueFd fd, pid_t child) : stream_(std::move(fd)), child_(child) {}
    ~ToPostdrop() override {
        stream_.close();
        if (child_ > 0)
            ::waitpid(child_, nullptr, 0);
    }
    Result<void> greet() {
        TRY_ASSIGN(ipc::Incoming hello, ipc::receive(stream_, loop::in(patience)));
        TRY_ASSIGN(Hello names, hello.as<Hello>());
        id_ = std::move(names.queue_id);
        return {};
    }
    std::string_view queue_id() const override { return id_; }
    bool failed() const override { return !reason_.empty(); }

protected:
    // Only what postdrop takes from a user.
    void put(RecordType type, std::string_view payload) override {
        if (!queue::takes(queue::Door::postdrop, segment_, type))
            return;
        if (type == RecordType::attribute) {
            const auto [name, value] = bytes::cut(payload, '=');
            if (!value || !queue::is_submission_attribute(name, *value))
                return;
        }
        send(type, payload);
        if (type == RecordType::message)
            segment_ = queue::Segment::content;
        if (type == RecordType::extracted)
            segment_ = queue::Segment::extracted;
    }
    Result<ipc::CleanupReply> end() override {
        send(RecordType::end, {});
        if (failed())
            return temporary("postdrop: " + reason_);
        TRY(stream_.flush(loop::in(patience)));
        struct {
            int status = 1;
            std::string reason;
        } verdict;
        for (;;) {  // status and reason, without a protocol name
            TRY_ASSIGN(std::string_view word, stream_.read_until('\0', 256, loop::in(patience)));
            std::string name(word);
            if (name.empty())
                break;
            TRY_ASSIGN(std::string_view value, stream_.read_until('\0', 4096, loop::in(patience)));
            if (name == "status")
                verdict.status = static_cast<int>(bytes::to_int(value).value_or(1));
            else if (name == "reason")
                verdict.reason = value;
        }
        if (verdict.status == 0)
            return ipc::CleanupReply{true, 250, "2.0.0", "Ok"};
        return ipc::CleanupReply{false, 451, "4.3.0",
                                 "Error: " +
                                     (verdict.reason.empty() ? std::string("queue file write error") : verdict.reason)};
    }

private:
    void send(RecordType type, std::string_view payload) {
        if (failed())
            return;
        char head[queue::head_max];
        auto sent = stream_.write(std::string_view(head, queue::head(head, type, payload.size())), loop::in(patience));
        if (sent && !payload.empty())
            sent = stream_.write(payload, loop::in(patience));
        if (!sent)
            reason_ = sent.error().reason;
    }
    struct Hello {
        static constexpr std::string_view protocol = "postdrop_protocol";
        std::string queue_id;
        template <class S, class V> static void fields(S& s, V&& v) { v("queue_id", s.queue_id); }
    };
    net::Stream stream_;
    pid_t child_;
    std::string id_{}, reason_{};  // reason_: why it has failed
    queue::Segment segment_ = queue::Segment::envelope;
};
}

Result<std::unique_ptr<ToQueue>> open_postdrop(const std::string& program) {
    int sockets[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return system_error("socketpair", errno);
    UniqueFd ours(sockets[0]), theirs(sockets[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDOUT_FILENO);
    std::string name = program, option = "-r";
    char* arguments[] = {name.data(), option.data(), nullptr};
    pid_t child = -1;
    int problem = ::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (problem != 0)
        return system_error(program, problem);
    auto out = std::make_unique<ToPostdrop>(std::move(ours), child);
    TRY(out->greet());
    return out;
}
}
