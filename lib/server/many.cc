// The loop of a daemon of many sessions: each connection is a fiber, each listening socket has one that accepts, and a
// director watches over them: master's words, idle exit, the end.
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <unordered_map>
#include <utility>
#include "base/memory.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "log/backlog.h"
#include "log/log.h"
#include "log/syslog_client.h"
#include "server/session_numbers.h"
#include "server/state.h"

using namespace std::chrono_literals;

namespace server {
namespace {
struct Held {
    int commits = 0;
    bool idle = false;
};

struct Running {
    explicit Running(loop::Loop& l) : fibers(l) {}
    loop::Loop& fibers;
    std::unordered_map<loop::Fiber*, Held> sessions;
    std::unordered_map<loop::Fiber*, bool> services;  // those that accept, and the background
    loop::Fiber* background = nullptr;
    SessionNumbers numbers{getpid()};
    loop::Condition changed;     // for the director
    loop::Condition place;       // a session has ended: for those that accept
    loop::Deadline log_until{};  // of a terminated process, for the log's lines that are kept still
    bool go = false, terminated = false, draining = false, told_full = false;
    loop::Deadline idle_since = loop::Clock::now();
    int status = 0;
};
Running* running = nullptr;
constexpr auto log_time = 4s;  // master kills 6 s after SIGTERM

void terminate() {
    if (!std::exchange(running->terminated, true))
        running->log_until = loop::in(log_time);
    state.stopping = true;
    running->changed.notify_all();
}

loop::Fiber& start_service(void (*body)(int), int fd) {
    loop::Fiber& f = running->fibers.spawn([body, fd] {
        try {
            body(fd);
        } catch (const std::exception& e) {
            maillog::fatal("{}", e.what());
        }
    });
    running->services[&f] = true;
    f.ended = [&f] {
        running->services.erase(&f);
        running->changed.notify_all();
    };
    return f;
}

void session_ended(loop::Fiber* f) {
    running->sessions.erase(f);
    running->numbers.give_back(f->number);
    state.give_place_back();
    ++state.served;
    running->idle_since = loop::Clock::now();
    if (running->told_full && !state.full()) {
        running->told_full = false;
        state.tell("room");
    }
    running->place.notify_all();
    if (running->sessions.empty())
        running->changed.notify_all();
}

// Takes the client, unless it throws std::bad_alloc.
void start_session(UniqueFd& client, const net::Address& peer) {
    auto fd = std::make_shared<UniqueFd>();  // std::function wants something that can be copied
    loop::Fiber* begun = nullptr;
    const std::int64_t number = running->numbers.take();
    *fd = std::move(client);
    try {
        begun = &running->fibers.spawn([fd, peer] { serve_connection(std::move(*fd), peer); });
        running->sessions[begun] = {};
        begun->number = number;
    } catch (const std::bad_alloc&) {
        if (begun)
            running->fibers.cancel(*begun);
        running->numbers.give_back(number);
        client = std::move(*fd);
        throw;
    }
    loop::Fiber& f = *begun;
    f.ended = [&f] { session_ended(&f); };
    if (state.full() && !running->told_full) {
        running->told_full = true;
        state.tell("full");
    }
    if (running->sessions.size() == 1)
        running->changed.notify_all();
}

// Starts a session; a client for whom there is no memory is told so, and so is the log, now and then.
void welcome(UniqueFd client, const net::Address& peer) noexcept {
    static loop::Deadline quiet_until{};
    try {
        if (!base::memory_is_short())
            return start_session(client, peer);
    } catch (const std::bad_alloc&) {}
    turn_away(client.get());
    state.give_place_back();
    if (loop::Clock::now() < quiet_until)
        return;
    quiet_until = loop::in(10s);
    try {
        maillog::warning("no memory for more sessions");
    } catch (const std::bad_alloc&) {}
}

// Accepts as long as there are places and clients.
void accept_clients(int listener) {
    loop::Watch watch(listener);
    bool complained = false;
    for (;;) {
        for (int burst = 0;; ++burst) {
            while (state.full() || !state.take_place())
                running->place.wait(loop::in(50ms));
            net::Address peer;
            Result<UniqueFd> client = net::accept_one(listener, peer);
            if (client && *client) {
                state.judge_stress();
                welcome(std::move(*client), peer);
                complained = false;
                if (burst % 16 == 15)
                    loop::yield();
                continue;
            }
            state.give_place_back();
            if (client)
                break;
            if (!complained)
                maillog::warning("{}", client.error().reason);
            complained = true;
            running->place.wait(loop::in(1s));  // descriptors have run out, most likely
        }
        watch.readable(loop::never);
    }
}

void take_fifo(int fd) {
    for (loop::Watch watch(fd);; watch.readable(loop::never)) {
        read_fifo(fd);
        running->idle_since = loop::Clock::now();
    }
}
void take_datagrams(int fd) {
    for (loop::Watch watch(fd);; watch.readable(loop::never)) {
        read_datagrams(fd);
        running->idle_since = loop::Clock::now();
    }
}

// Of the oldest generation: there are too many. Others end when they wait for another request.
void end_idle() {
    running->draining = true;
    for (auto& [fiber, held] : running->sessions)
        if (held.idle)
            running->fibers.cancel(*fiber);
}

void listen_to_master() {
    for (;;) {
        loop::wait_readable(worker::channel_fd);
        std::string message;
        bool closed = false;
        UniqueFd passed;
        while (worker::receive(worker::channel_fd, message, closed, &passed)) {
            if (message == "syslog")
                maillog::adopt_syslog(std::move(passed));
            if (message == "go")
                running->go = true;
            if (message == "retire")
                state.retired = true;
            if (message == "drain")
                end_idle();
        }
        if (closed)
            return terminate();
        running->changed.notify_all();
    }
}

// Tells master when this loop's processor time runs out while it accepts, so that it starts a worker beside.
class Load {
public:
    void look() {
        timespec t{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        auto used = std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
        auto now = loop::Clock::now();
        if (used - used_ > (now - at_) * 7 / 10 && now - at_ > 100ms)
            state.tell("busy");
        used_ = used;
        at_ = now;
    }

private:
    std::chrono::nanoseconds used_{0};
    loop::Deadline at_ = loop::Clock::now();
};

// Waits until there is a reason to accept no more.
void supervise() {
    auto max_idle = settings()[param::max_idle];
    std::int64_t max_use = settings().is_set(param::max_use.name) && state.idle_exit() ? settings()[param::max_use] : 0;
    for (Load load; !state.retired && !running->terminated;) {
        bool idle = running->sessions.empty();
        loop::Deadline until = running->idle_since + max_idle;
        if (idle && state.idle_exit() && loop::Clock::now() >= until) {
            state.tell("going");
            return;
        }
        if (max_use > 0 && state.served >= max_use) {
            state.tell("going");
            return;
        }
        running->changed.wait(!idle ? loop::in(500ms) : state.idle_exit() ? until : loop::never);
        if (!running->sessions.empty())
            load.look();
    }
}

void end_sessions() {
    for (auto& [fiber, held] : running->sessions)
        if (held.commits == 0)
            running->fibers.cancel(*fiber);
}

bool working_off = false;  // the log's lines that had to be kept; of the loop's thread

void work_off_log() {
    while (!maillog::work_off())
        loop::sleep_until(loop::in(50ms));
    working_off = false;
}
void log_is_kept() {
    if (loop::loop() && !std::exchange(working_off, true))
        loop::loop()->spawn(work_off_log);
}

// From start to end. The fibers that it leaves behind (kept connections of the daemon's own) are cancelled last.
void direct() {
    const Daemon& daemon = *state.daemon;
    if (daemon.after_jail)
        if (Result<void> r = daemon.after_jail(*state.normal); !r)
            _exit(refuse(r.error().reason));
    state.tell("ready many " +
               std::string(daemon.bound == Bound::processes || daemon.one_process ? "processes " : "sessions ") +
               std::to_string(state.limit));
    while (!running->go && !state.retired && !running->terminated)
        running->changed.wait();
    if (running->go) {
        if (daemon.background)
            running->background = &start_service([](int) { state.daemon->background(); }, -1);
        auto body = state.kind == Kind::fifo       ? take_fifo
                    : state.kind == Kind::datagram ? take_datagrams
                                                   : accept_clients;
        for (const UniqueFd& l : state.listeners)
            start_service(body, l.get());
        supervise();
    }
    if (running->terminated) {
        end_in(6);
        end_sessions();
    }
    // What sessions still need of the background goes on until they have ended; but where one process alone may do the
    // work, the successor waits for its end.
    bool background_stays =
        running->services.contains(running->background) && !daemon.one_process && !running->terminated;
    for (auto& [fiber, unused] : running->services)
        if (!background_stays || fiber != running->background)
            running->fibers.cancel(*fiber);
    while (running->services.size() > (background_stays ? 1 : 0)) {
        running->changed.wait();
        if (running->terminated) {
            end_in(6);
            end_sessions();
        }
    }
    state.listeners.clear();
    if (state.retired)
        state.tell("released");
    if (daemon.one_process)
        end_idle();  // its clients are to find the successor, which waits for this end
    while (!running->sessions.empty()) {
        running->changed.wait();
        if (running->terminated) {
            end_in(6);
            end_sessions();
        }
    }
    working_off = true;  // what is kept from here on goes at the very end
    running->fibers.cancel_all();
}
}

int serve_many() {
    base::keep_memory_reserve();
    loop::Loop fibers;
    Running r(fibers);
    running = &r;
    if (state.daemon->bound == Bound::sessions && !settings()[param::maillog_process_ids])
        maillog::number_lines_by(loop::number);
    auto timeout = static_cast<unsigned>(
        settings()[state.daemon->watchdog ? *state.daemon->watchdog : param::daemon_timeout].count());
    maillog::never_wait(log_is_kept);
    end_in(timeout);
    fibers.every(std::chrono::milliseconds(std::max(1u, timeout / 4) * std::int64_t{1000}), [timeout] {
        if (!running->terminated)
            end_in(timeout);
    });
    fibers.on_signal(SIGTERM, terminate);
    fibers.spawn(listen_to_master);
    fibers.spawn(direct);
    fibers.run();
    maillog::never_wait(nullptr);
    maillog::end_backlog(r.terminated ? r.log_until : loop::in(log_time));
    return r.status;
}

namespace single {
void enter_commit();
void leave_commit();
}

Commit::Commit() {
    if (!running) {
        single::enter_commit();
        return;
    }
    auto at = running->sessions.find(loop::current());
    if (at != running->sessions.end())
        ++at->second.commits;
}
Commit::~Commit() {
    if (!running) {
        single::leave_commit();
        return;
    }
    auto at = running->sessions.find(loop::current());
    if (at == running->sessions.end() || --at->second.commits > 0)
        return;
    if (running->terminated)
        running->fibers.cancel(*at->first);  // its next wait ends it
}

static Held* own_session() {
    if (!running)
        return nullptr;
    auto at = running->sessions.find(loop::current());
    return at == running->sessions.end() ? nullptr : &at->second;
}

Idle::Idle() {
    Held* held = own_session();
    if (!held)
        return;
    held->idle = true;
    if (running->draining)
        running->fibers.cancel(*loop::current());  // the wait that follows ends it
}
Idle::~Idle() {
    if (Held* held = own_session())
        held->idle = false;
}
}
