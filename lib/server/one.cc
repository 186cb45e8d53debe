// The loop of a one-session daemon: one connection at a time, on the main stack, where blocking calls are allowed. It
// is full while it has a session; master starts another worker when clients wait.
#include <poll.h>
#include <signal.h>
#include <unistd.h>
#include <cerrno>
#include "conf/params/global.h"
#include "log/log.h"
#include "log/syslog_client.h"
#include "server/state.h"

namespace server {
namespace {
volatile sig_atomic_t commits = 0, terminated = 0;

// Between sessions and in waits for the next request there is nothing to finish. Within a Commit its end sees the flag.
void terminate(int) {
    terminated = 1;
    state.stopping = true;
    if (commits == 0)
        _exit(0);
}

struct IdleTime {
    loop::Deadline until;
    explicit IdleTime() : until(loop::in(settings()[param::max_idle])) {}
    int milliseconds() const {
        if (!state.idle_exit())
            return -1;
        auto left = std::chrono::ceil<std::chrono::milliseconds>(until - loop::Clock::now()).count();
        return left < 0 ? 0 : static_cast<int>(std::min<std::int64_t>(left, 1000000));
    }
};

enum class Turn { served, nothing, limit };

Turn serve_one(int listener) {
    if (state.kind == Kind::fifo) {
        read_fifo(listener);
        return Turn::served;
    }
    if (state.kind == Kind::datagram) {
        read_datagrams(listener);
        return Turn::served;
    }
    if (!state.take_place())
        return Turn::limit;
    net::Address peer;
    Result<UniqueFd> client = net::accept_one(listener, peer);
    if (!client || !*client) {
        state.give_place_back();
        if (client)
            return Turn::nothing;
        maillog::warning("{}", client.error().reason);
        return Turn::limit;
    }
    state.judge_stress();
    state.tell("full");
    end_in(static_cast<unsigned>(settings()[param::daemon_timeout].count()));
    serve_connection(std::move(*client), peer);
    end_in(0);
    state.give_place_back();
    ++state.served;
    return Turn::served;
}
}

bool hear_master() {
    std::string message;
    bool closed = false;
    UniqueFd passed;
    while (worker::receive(worker::channel_fd, message, closed, &passed)) {
        if (message == "retire")
            state.retired = true;
        if (message == "syslog")
            maillog::adopt_syslog(std::move(passed));
    }
    if (closed)
        state.retired = true;
    return !state.retired;
}

namespace single {
void enter_commit() { commits = commits + 1; }
void leave_commit() {
    commits = commits - 1;
    if (terminated && commits == 0)
        _exit(0);
}
}

int serve_one_by_one() {
    struct sigaction action {};
    action.sa_handler = terminate;
    sigaction(SIGTERM, &action, nullptr);
    const Daemon& daemon = *state.daemon;
    if (daemon.after_jail)
        if (Result<void> r = daemon.after_jail(*state.normal); !r)
            return refuse(r.error().reason);
    state.tell("ready one " + std::string(daemon.bound == Bound::processes ? "processes " : "sessions ") +
               std::to_string(state.limit));
    std::vector<pollfd> wait{{worker::channel_fd, POLLIN, 0}};
    for (const UniqueFd& l : state.listeners)
        wait.push_back({l.get(), POLLIN, 0});
    std::string message;
    for (bool closed = false; message != "go";) {  // the predecessor lets go first
        (void)poll(wait.data(), 1, -1);
        (void)worker::receive(worker::channel_fd, message, closed);
        if (closed || message == "retire")
            return 0;
    }
    for (IdleTime idle;;) {
        int n = poll(wait.data(), wait.size(), idle.milliseconds());
        if (n < 0 && errno != EINTR)
            maillog::fatal("poll: {}", errno_text(errno));
        if (n < 0)
            continue;
        if (n == 0 && idle.milliseconds() == 0) {
            state.tell("going");
            return 0;
        }
        if (wait[0].revents && !hear_master())
            return 0;
        for (std::size_t i = 1; i < wait.size(); ++i) {
            if (!wait[i].revents)
                continue;
            Turn turn = serve_one(wait[i].fd);
            if (turn == Turn::limit)
                (void)poll(nullptr, 0, 20);  // another worker's session has to end first
            if (turn != Turn::served)
                continue;
            if (!hear_master())
                return 0;
            if (state.served >= settings()[param::max_use] && !daemon.one_process) {
                state.tell("going");
                return 0;
            }
            if (state.kind == Kind::stream || state.kind == Kind::pass)
                state.tell("room");
            idle = IdleTime();
        }
    }
}
}
