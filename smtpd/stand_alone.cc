#include "stand_alone.h"
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "log/log.h"
#include "net/stream.h"
#include "service.h"
#include "session.h"
#include "to_queue.h"

extern char** environ;

namespace smtpd {
using queue::RecordType;

namespace {
constexpr std::chrono::seconds patience(300);

// postdrop's conversation: an attribute list with the queue id, records, an attribute list with the status.
class ToPostdrop final : public ToQueue {
public:
    static Result<std::unique_ptr<ToQueue>> open(const std::string& postdrop) {
        int sockets[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
            return system_error("socketpair", errno);
        UniqueFd ours(sockets[0]), theirs(sockets[1]);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDOUT_FILENO);
        std::string program = postdrop, option = "-r";
        char* arguments[] = {program.data(), option.data(), nullptr};
        pid_t child = -1;
        int problem = ::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ);
        posix_spawn_file_actions_destroy(&actions);
        if (problem != 0)
            return system_error(postdrop, problem);
        std::unique_ptr<ToPostdrop> s(new ToPostdrop(std::move(ours), child));
        TRY_ASSIGN(ipc::Incoming hello, ipc::receive(s->stream_, loop::in(patience)));
        TRY_ASSIGN(Hello names, hello.as<Hello>());
        s->id_ = std::move(names.queue_id);
        return std::unique_ptr<ToQueue>(std::move(s));
    }
    ~ToPostdrop() override {
        stream_.close();
        if (child_ > 0)
            ::waitpid(child_, nullptr, 0);
    }
    std::string_view queue_id() const override { return id_; }
    bool failed() const override { return !reason_.empty(); }

protected:
    // What postdrop takes from a user: T and M stand in its own order, of attributes only those of a submission.
    void put(RecordType type, std::string_view payload) override {
        switch (type) {
        case RecordType::time:
        case RecordType::original:
        case RecordType::flags:
        case RecordType::filter:
        case RecordType::redirect:
            if (content_)
                send(type, payload);
            return;
        case RecordType::attribute: {
            std::string_view name = bytes::cut(payload, '=').first;
            if (name == "rewrite_context" || name == "envelope_id" || name == "ret_flags" || name == "notify_flags" ||
                name == "encoding")
                send(type, payload);
            return;
        }
        case RecordType::message: content_ = true; [[fallthrough]];
        default: send(type, payload);
        }
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
    ToPostdrop(UniqueFd fd, pid_t child) : stream_(std::move(fd)), child_(child) {}
    net::Stream stream_;
    pid_t child_;
    std::string id_{}, reason_{};  // reason_: why it has failed
    bool content_ = false;
};

// Standard input and output are two descriptors: this process carries bytes between them and the session's one.
void carry(int session) {
    bool input = true;
    char buffer[16384];
    for (;;) {
        pollfd wait[2] = {{session, POLLIN, 0}, {input ? STDIN_FILENO : -1, POLLIN, 0}};
        if (::poll(wait, 2, -1) < 0 && errno != EINTR)
            return;
        if (wait[0].revents) {
            ssize_t n = ::read(session, buffer, sizeof buffer);
            if (n <= 0 || !write_all(STDOUT_FILENO, {buffer, static_cast<std::size_t>(n)}))
                return;
        }
        if (wait[1].revents) {
            ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
            if (n <= 0) {
                input = false;
                ::shutdown(session, SHUT_WR);
            } else if (!write_all(session, {buffer, static_cast<std::size_t>(n)}))
                return;
        }
    }
}

std::string configuration_directory(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; ++i)
        if (std::string_view(argv[i]) == "-c")
            return argv[i + 1];
    const char* directory = std::getenv("MAIL_CONFIG");
    return directory && *directory ? directory : "/etc/postfix";
}
}

bool stand_alone_wanted(int argc, char** argv) {
    for (int i = 1; i < argc; ++i)
        if (std::string_view(argv[i]) == "-S")
            return true;
    return false;
}

int stand_alone(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    maillog::open({"postfix/smtpd"});
    auto settings =
        conf::Settings::load(configuration_directory(argc, argv), {{"process_name", "smtpd"},
                                                                   {"smtpd_client_restrictions", ""},
                                                                   {"smtpd_helo_restrictions", ""},
                                                                   {"smtpd_sender_restrictions", ""},
                                                                   {"smtpd_recipient_restrictions", ""},
                                                                   {"smtpd_relay_restrictions", "permit, reject"},
                                                                   {"smtpd_data_restrictions", ""},
                                                                   {"smtpd_end_of_data_restrictions", ""},
                                                                   {"smtpd_etrn_restrictions", "reject"},
                                                                   {"smtpd_reject_unlisted_recipient", "no"},
                                                                   {"smtpd_reject_unlisted_sender", "no"},
                                                                   {"smtpd_tls_security_level", "none"},
                                                                   {"smtpd_tls_wrappermode", "no"},
                                                                   {"smtpd_upstream_proxy_protocol", ""},
                                                                   {"smtpd_forbid_bare_newline", "no"},
                                                                   {"smtpd_forbid_unauth_pipelining", "no"},
                                                                   {"queue_minfree", "0"},
                                                                   {"content_filter", ""}});
    if (!settings) {
        maillog::to_stderr("smtpd");
        maillog::write(maillog::Level::fatal, settings.error().reason);
        return 1;
    }
    int sockets[2];
    if (::chdir((*settings)[param::queue_directory].c_str()) != 0 ||
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
        maillog::to_stderr("smtpd");
        maillog::write(maillog::Level::fatal, (*settings)[param::queue_directory] + ": " + errno_text(errno));
        return 1;
    }
    pid_t child = ::fork();
    if (child < 0)
        return 75;
    if (child > 0) {
        ::close(sockets[1]);
        carry(sockets[0]);
        ::close(sockets[0]);
        ::waitpid(child, nullptr, 0);
        return 0;
    }
    ::close(sockets[0]);
    auto service = Service::open(*settings);
    if (!service) {
        maillog::write(maillog::Level::fatal, service.error().reason);
        ::_exit(1);
    }
    const std::string postdrop = (*settings)[param::command_directory] + "/postdrop";
    (*service)->submit = [postdrop] { return ToPostdrop::open(postdrop); };
    {
        net::Stream stream{UniqueFd(sockets[1])};
        Session(**service, stream, false).serve(net::Address());
        stream.close();
    }
    ::_exit(0);
}
}
