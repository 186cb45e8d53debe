#include "service.h"
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <algorithm>
#include <cerrno>
#include <thread>
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/smtp.h"
#include "log/log.h"
#include "log/syslog_client.h"
#include "net/socket.h"
#include "server/worker_protocol.h"
#include "worker_process.h"

using namespace std::chrono_literals;

namespace master {
namespace channel = server::worker;

namespace {
bool readable_now(int fd) {
    pollfd p{fd, POLLIN, 0};
    return poll(&p, 1, 0) > 0;
}
int processors() { return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 64); }
constexpr int most_generations = 3;
constexpr auto release_time = 10s;
constexpr auto ready_time = 10s;           // a worker that takes longer to get ready is worth a line
constexpr std::size_t most_files = 10000;  // of a service
int generation_number = 0;

// best_mx_transport, in main.cf or for this service.
bool passes_on(const Generation& generation) {
    std::string value = generation.configuration->settings[param::best_mx_transport];
    if (auto options = conf::options_of(generation.entry))
        for (const auto& [name, text] : options->overrides)
            if (name == param::best_mx_transport.name)
                value = text;
    return !value.empty();
}
}

Service::Service(loop::Loop& loop, GenerationPtr generation, const Options& options)
    : loop_(loop), options_(options), current_(std::move(generation)) {
    current_->number = ++generation_number;
}
Service::~Service() { board_.unmap(); }

Result<void> Service::open() {
    TRY_ASSIGN(board_memory_, channel::make_memory("sessions", server::Board::size));
    TRY_ASSIGN(board_, server::Board::map(board_memory_.get()));
    restart_fibers();
    return {};
}

// --- fibers

void Service::start_fiber(Fibers& among, std::function<void()> body) {
    loop::Fiber& f = loop_.spawn(std::move(body));
    among.insert(&f);
    f.ended = [&among, &f] { among.erase(&f); };
}

void Service::restart_fibers() {
    end_fibers();
    for (const std::shared_ptr<Endpoint>& e : current_->endpoints)
        start_fiber(socket_fibers_, [this, e] { watch(e); });
    if (entry().wakeup() > 0s && entry().service_type() != conf::ServiceType::inet)
        start_fiber(socket_fibers_, [this] { wake_up(); });
}
void Service::end_fibers() {
    for (loop::Fiber* f : socket_fibers_)
        loop_.cancel(*f);
}

// Starts workers for one socket as long as clients wait there that no worker takes.
void Service::watch(std::shared_ptr<Endpoint> endpoint) {
    for (;;) {
        for (loop::Deadline now; now = loop::Clock::now(), !needs_worker(now);)
            changed_.wait(throttled_until_ > now ? throttled_until_ : loop::never);
        loop::wait_readable(endpoint->fd.get());
        if (!needs_worker(loop::Clock::now()) || !readable_now(endpoint->fd.get())) {
            loop::yield();
            continue;
        }
        start_worker(current_);
    }
}

void Service::wake_up() {
    while (!stopping_) {
        if (!entry().wakeup_only_if_used() || used_) {
            // Where a wake-up is waiting already, another tells nothing new; and a worker that is starting will find
            // that one.
            Result<void> r = net::trigger(entry().socket_path(), "W",
                                          loop::in(current_->configuration->settings[param::trigger_timeout]));
            if (!r && !stopping_)
                maillog::warning("wake up service {}: {}", entry().name, r.error().reason);
        }
        // A worker that died has left work behind, perhaps; what dies again and again costs little that way.
        if (died_.wait(loop::in(entry().wakeup())) == loop::Wait::ready)
            loop::sleep_until(loop::in(1s));
    }
}

// --- starting

int Service::count(bool accepting_only) const {
    int n = 0;
    for (const WorkerPtr& w : workers_)
        if (w->generation == current_ && !w->gone && w->state != Worker::State::retired &&
            (!accepting_only || w->state != Worker::State::full))
            ++n;
    return n;
}

// How many workers of the current generation there may be.
int Service::process_limit() const {
    int wanted =
        entry().maxproc().value_or(static_cast<int>(current_->configuration->settings[param::default_process_limit]));
    if (wanted <= 0)
        wanted = server::Board::slots / 4;
    if (known_ && !one_session_ && !bound_by_processes_)
        wanted = session_limit_ > 0 ? session_limit_ : server::Board::slots / 4;
    return std::min(wanted, server::Board::slots / 4);
}

bool Service::needs_worker(loop::Deadline now) const {
    if (stopping_ || throttled_until_ > now)
        return false;
    return count(true) == 0 && count(false) < process_limit();
}

int Service::free_slot() const {
    for (int i = 0; i < server::Board::slots; ++i)
        if (std::none_of(workers_.begin(), workers_.end(), [&](const WorkerPtr& w) { return w->slot == i; }))
            return i;
    return -1;
}

void Service::start_worker(const GenerationPtr& generation) {
    auto failed = [&](const Error& why) {
        maillog::warning("service {}: {}", entry().name, why.reason);
        throttled_until_ = loop::in(current_->configuration->settings[param::service_throttle_time]);
    };
    auto pair = channel::make_channel();
    if (!pair)
        return failed(pair.error());
    WorkerPtr w = std::make_shared<Worker>();
    w->slot = free_slot();
    w->generation = generation;
    w->channel = std::move(pair->first);
    if (w->slot < 0)
        return failed({{4, 3, 0}, "too many processes", 0});
    board_.clear(w->slot);
    board_.use(w->slot);
    Result<pid_t> pid = spawn_worker({*generation->configuration, generation->entry, generation->endpoints,
                                      pair->second.get(), board_memory_.get(), options_.flow, options_.programs_memory,
                                      w->slot, generation == candidate_, options_.verbose, options_.debug});
    const conf::Settings& s = current_->configuration->settings;
    if (!pid && pid.error().sys_errno == EAGAIN &&
        ++failed_starts_ < s[param::fork_attempts]) {  // a lack that may pass
        maillog::warning("service {}: {}", entry().name, pid.error().reason);
        throttled_until_ = loop::in(s[param::fork_delay]);
        return;
    }
    failed_starts_ = 0;
    if (!pid)
        return failed(pid.error());
    w->pid = *pid;
    const std::string path = program_path(*generation->configuration, generation->entry),
                      ours = generation->configuration->settings[param::daemon_directory] + "/";
    options_.programs->started(w->pid, path.starts_with(ours) ? path.substr(ours.size()) : "", passes_on(*generation));
    used_ = true;
    for (const char* path : {"/etc/resolv.conf", "/etc/hosts"})
        files_.try_emplace(path, WatchedFile{look_at(path), look_at(path)});
    workers_.push_back(w);
    start_fiber(channel_fibers_, [this, w] { read_channel(w); });
    start_fiber(channel_fibers_, [this, w] { tell_of_delay(w); });
    if (maillog::verbose())
        maillog::info("service {}: started process {}", entry().name, w->pid);
}

// --- what workers say

void Service::read_channel(WorkerPtr w) {
    for (;;) {
        std::string message;
        bool closed = false;
        while (channel::receive(w->channel.get(), message, closed))
            heard(w, message);
        if (closed || w->gone)
            return;
        loop::wait_readable(w->channel.get());
    }
}

void Service::heard(const WorkerPtr& w, const std::string& message) {
    auto [word, rest] = bytes::cut(message, ' ');
    bool retired = w->state == Worker::State::retired;
    if (word == "ready")
        ready(w, rest.value_or(""));
    else if (word == "full" && !retired)
        w->state = Worker::State::full;
    else if (word == "room" && !retired)
        w->state = Worker::State::accepting;
    else if (word == "released" || word == "going") {
        w->state = Worker::State::retired;
        w->released = true;
        let_go();
    } else if (word == "bad" && w->generation == candidate_) {
        w->refused = true;
        maillog::warning("service {}: the new configuration is refused: {}; the running one goes on", entry().name,
                         rest.value_or(""));
    } else if (word == "file" && rest && files_.size() < most_files) {
        FileState now = look_at(std::string(*rest));
        files_.try_emplace(std::string(*rest), WatchedFile{now, now});
    } else if (word == "syslog") {
        if (!std::exchange(w->wants_log, true))
            start_fiber(channel_fibers_, [this, w] { give_log(w); });
    } else if (word == "busy" && !stopping_ && w->generation == current_ && !exclusive()) {
        bool starting = std::any_of(workers_.begin(), workers_.end(),
                                    [](const WorkerPtr& x) { return x->state == Worker::State::starting; });
        if (!starting && count(false) < std::min(processors(), process_limit()))
            start_worker(current_);
    } else if (word == "limit" && limit_told_ < loop::Clock::now()) {
        limit_told_ = loop::in(1000s);
        maillog::warning(
            "service \"{}\" ({}) has reached its session limit \"{}\": new clients may experience noticeable delays",
            entry().name, entry().type, session_limit_);
        maillog::warning(
            "to avoid this condition, increase the process count in master.cf or reduce the service time per client");
    } else if (word == "lost") {
        if (std::int64_t lines = bytes::to_int(rest.value_or("")).value_or(0); lines > 0)
            maillog::warning("{} lines of service {} (process {}) were lost: the log did not take them in time", lines,
                             entry().name, w->pid);
    }
    changed_.notify_all();
}

// A jail has no way to the log daemon. It may be down just now: asked once, master goes on until it is back.
void Service::give_log(WorkerPtr w) {
    for (; !w->gone; loop::sleep_until(loop::in(500ms))) {
        UniqueFd log = maillog::connect_syslog();
        if (!log)
            continue;
        w->wants_log = false;
        channel::send(w->channel.get(), "syslog", log.get());
        return;
    }
}

// What it waits for (a server of its tables, a lock) may be back in time; until then at a reload the old settings hold,
// and otherwise clients wait: not without a word.
void Service::tell_of_delay(const WorkerPtr& w) {
    for (loop::Deadline late = loop::in(ready_time); w->state == Worker::State::starting && !w->gone && !stopping_;) {
        if (changed_.wait(late) == loop::Wait::ready)
            continue;
        maillog::warning("service {}: process {} is not ready after {} seconds{}", entry().name, w->pid,
                         ready_time.count(),
                         w->generation == candidate_ ? ": until it is, the old configuration holds" : "");
        return;
    }
}

// The candidate that another reload overtakes would only get ready in order to end.
void Service::drop_candidate() {
    for (const WorkerPtr& w : workers_) {
        if (!candidate_ || w->generation != candidate_ || w->gone)
            continue;
        w->refused = true;  // its end is no failure
        w->state = Worker::State::retired;
        ::kill(w->pid, SIGKILL);
    }
    candidate_ = nullptr;
}

// "one|many sessions|processes LIMIT"
void Service::ready(const WorkerPtr& w, std::string_view words) {
    std::vector<std::string_view> word = bytes::split(words, " ");
    if (word.size() != 3)
        return;
    w->was_ready = true;
    w->state = Worker::State::waiting;
    known_ = true;
    one_session_ = word[0] == "one";
    bound_by_processes_ = word[1] == "processes";
    session_limit_ = static_cast<int>(bytes::to_int(word[2]).value_or(0));
    if (stopping_) {
        ::kill(w->pid, SIGTERM);
        return;
    }
    if (w->generation == candidate_) {
        current_ = std::exchange(candidate_, nullptr);
        throttled_until_ = {};
        for (const WorkerPtr& other : std::vector(workers_))
            if (other->generation != current_)
                retire(other);
        restart_fibers();
        bound_generations();
    } else if (w->generation != current_) {
        retire(w);  // a reload came while it was getting ready
    }
    let_go();
}

void Service::let_go() {
    bool held = exclusive() && std::any_of(workers_.begin(), workers_.end(), [&](const WorkerPtr& w) {
                    return w->generation != current_ && !w->released && !w->gone;
                });
    if (held)
        return;
    for (const WorkerPtr& w : workers_) {
        if (w->state != Worker::State::waiting || w->generation != current_)
            continue;
        w->state = Worker::State::accepting;
        channel::send(w->channel.get(), "go");
    }
}

void Service::retire(const WorkerPtr& w) {
    if (w->gone || w->state == Worker::State::retired)
        return;
    w->state = Worker::State::retired;
    channel::send(w->channel.get(), "retire");
    if (!exclusive())
        return;
    start_fiber(channel_fibers_, [w] {  // its successor waits for it
        loop::sleep_until(loop::in(release_time));
        if (!w->released && !w->gone)
            ::kill(w->pid, SIGTERM);
    });
}

// When a fourth generation comes, the oldest ends the sessions that are idle; those with a message in progress finish.
void Service::bound_generations() {
    std::set<int> numbers;
    for (const WorkerPtr& w : workers_)
        numbers.insert(w->generation->number);
    while (numbers.size() > most_generations) {
        for (const WorkerPtr& w : workers_)
            if (w->generation->number == *numbers.begin())
                channel::send(w->channel.get(), "drain");
        numbers.erase(numbers.begin());
    }
}

// --- change and end

FileState look_at(const std::string& path) {
    struct stat st {};
    if (stat(path.c_str(), &st) != 0)
        return {};
    return {st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_size, st.st_dev, st.st_ino};
}

void Service::look_at_files() {
    bool moving = false;
    for (auto& [path, file] : files_) {
        FileState now = look_at(path);
        if (now.size < 0 || now == file.seen)
            continue;
        file.seen = now;
        moving = true;
    }
    if (moving || stopping_ || workers_.empty() || candidate_)
        return;
    std::string what;
    for (auto& [path, file] : files_) {
        if (file.seen == file.taken)
            continue;
        file.taken = file.seen;
        what = path;
    }
    if (what.empty())
        return;
    maillog::info("service {}: {} has changed: starting anew", entry().name, what);
    reload(std::make_shared<Generation>(*current_));
}

void Service::reload(GenerationPtr next) {
    next->number = ++generation_number;
    throttled_until_ = {};
    drop_candidate();
    bool running = std::any_of(workers_.begin(), workers_.end(),
                               [](const WorkerPtr& w) { return w->state != Worker::State::retired && !w->gone; });
    if (running) {
        candidate_ = next;
        start_worker(next);
        if (std::none_of(workers_.begin(), workers_.end(), [&](const WorkerPtr& w) { return w->generation == next; }))
            candidate_ = nullptr;
        return;
    }
    current_ = std::move(next);
    restart_fibers();
}

void Service::remove() {
    stopping_ = true;
    for (const std::shared_ptr<Endpoint>& e : current_->endpoints)
        e->remove = true;
    for (const WorkerPtr& w : workers_)
        retire(w);
    end_fibers();
    changed_.notify_all();
}

void Service::stop() {
    stopping_ = true;
    for (const WorkerPtr& w : workers_)
        ::kill(w->pid, SIGTERM);
    end_fibers();
    changed_.notify_all();
}

void Service::kill() {
    for (const WorkerPtr& w : workers_)
        ::kill(w->pid, SIGKILL);
}

bool Service::has_worker(pid_t pid) const {
    return std::any_of(workers_.begin(), workers_.end(), [&](const WorkerPtr& w) { return w->pid == pid; });
}

void Service::worker_exited(pid_t pid, int status) {
    auto at = std::find_if(workers_.begin(), workers_.end(), [&](const WorkerPtr& w) { return w->pid == pid; });
    WorkerPtr w = *at;
    std::string message;  // what it said last
    for (bool closed = false; channel::receive(w->channel.get(), message, closed);)
        heard(w, message);
    w->gone = true;
    workers_.erase(std::find(workers_.begin(), workers_.end(), w));
    board_.clear(w->slot);
    std::string program = program_path(*w->generation->configuration, w->generation->entry);
    bool expected = stopping_ && WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM);
    bool bad = status != 0 && !expected && !w->refused;
    bool killed = WIFSIGNALED(status) &&
                  WTERMSIG(status) == SIGKILL;  // by a person or for want of memory: not the program's fault
    if (bad && WIFEXITED(status))
        maillog::warning("process {} pid {} exit status {}", program, pid, WEXITSTATUS(status));
    else if (bad)
        maillog::warning("process {} pid {} killed by signal {}", program, pid, WTERMSIG(status));
    if (bad && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        maillog::warning("process {} pid {} was ended by its system-call filter: an intruder, or a library's call that "
                         "we did not foresee (kernel log: type=1326); "
                         "sandbox_enable=no runs it without",
                         program, pid);
    if (w->generation == candidate_)
        candidate_ = nullptr;
    else if (bad && !stopping_ && (!w->was_ready || (!killed && loop::Clock::now() - w->started < 1s))) {
        maillog::warning("{}: bad command startup -- throttling", program);
        throttled_until_ = loop::in(current_->configuration->settings[param::service_throttle_time]);
    }
    let_go();
    changed_.notify_all();
    if (bad)
        died_.notify_all();
}
}
