// One service of master.cf: its sockets, its board, its workers, and the rules for starting and retiring them
// (DESIGN.md, section 4; server/worker_protocol.h has the words).
//
// A worker is started when a socket becomes readable and no worker of the current generation takes it. At a reload the
// service gets a candidate generation: one worker of it is started beside the others; when it is ready the others
// retire, and when it refuses the candidate is dropped.
//
// When things fail: a worker that ends before it is ready throttles the service for service_throttle_time; one that
// dies later gives its sessions back and is replaced when the next client comes, or after a second where the service
// has wake-ups.
#pragma once
#include <sys/types.h>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>
#include "configuration.h"
#include "endpoint.h"
#include "loop/loop.h"
#include "server/board.h"
#include "server/programs.h"

namespace master {
struct Generation {
    ConfigurationPtr configuration;
    conf::MasterEntry entry;
    Endpoints endpoints;
    int number = 0;  // counts on through reloads and changed files
};
// What stat(2) says of a file that a worker has read.
struct FileState {
    std::int64_t seconds = 0, nanoseconds = 0, size = -1;
    std::uint64_t device = 0, inode = 0;
    friend bool operator==(const FileState&, const FileState&) = default;
};
FileState look_at(const std::string& path);  // size -1: it is not there
using GenerationPtr = std::shared_ptr<Generation>;

struct Worker {
    enum class State { starting, waiting, accepting, full, retired };
    pid_t pid = 0;
    int slot = 0;
    UniqueFd channel;
    GenerationPtr generation;
    State state = State::starting;
    bool wants_log = false, was_ready = false, refused = false, released = false, gone = false;
    loop::Deadline started = loop::Clock::now();
};
using WorkerPtr = std::shared_ptr<Worker>;

struct Options {
    int verbose = 0;
    bool debug = false;
    int flow = -1;                         // the memory that all services share (worker_protocol.h)
    server::Programs* programs = nullptr;  // which program each of their processes is
    int programs_memory = -1;              // what workers get of it: empty where there is none
};

class Service {
public:
    Service(loop::Loop& loop, GenerationPtr generation, const Options& options);
    ~Service();
    Service(const Service&) = delete;

    Result<void> open();  // the board; starts the fibers
    const conf::MasterEntry& entry() const { return current_->entry; }
    const Endpoints& endpoints() const { return current_->endpoints; }
    std::string key() const { return entry().name + "/" + entry().type; }

    void reload(GenerationPtr next);  // a new configuration, or the same again because a file has changed
    void remove();                    // it is in master.cf no more: retire all, then nothing is left
    void stop();                      // TERM to all, start none
    void kill();
    void worker_exited(pid_t pid, int status);
    bool has_worker(pid_t pid) const;
    void end_fibers();  // no worker is left and none will come
    bool empty() const { return workers_.empty() && socket_fibers_.empty() && channel_fibers_.empty(); }
    bool alive() const { return !workers_.empty(); }
    // Looks at the files that workers have read, once an interval. When some have changed, and all are as they were at
    // the last look (a certificate and its key change one after the other): a new generation with the same
    // configuration.
    void look_at_files();
    const GenerationPtr& generation() const { return current_; }

private:
    using Fibers = std::set<loop::Fiber*>;
    void start_fiber(Fibers& among, std::function<void()> body);
    void restart_fibers();  // those that look at the sockets, and the wake-up
    void watch(std::shared_ptr<Endpoint> endpoint);
    void wake_up();
    void give_log(WorkerPtr w);
    void tell_of_delay(const WorkerPtr& w);
    void drop_candidate();
    void read_channel(WorkerPtr worker);
    void heard(const WorkerPtr& worker, const std::string& message);
    void ready(const WorkerPtr& worker, std::string_view words);
    void let_go();  // "go" to a ready worker whose predecessors have released
    void start_worker(const GenerationPtr& generation);
    void retire(const WorkerPtr& worker);
    void bound_generations();
    bool needs_worker(loop::Deadline now) const;
    int process_limit() const;
    int count(bool accepting_only) const;
    int free_slot() const;
    bool exclusive() const { return bound_by_processes_ && process_limit() == 1; }

    loop::Loop& loop_;
    Options options_;
    GenerationPtr current_, candidate_;
    UniqueFd board_memory_;
    server::Board board_;
    std::vector<WorkerPtr> workers_;
    Fibers socket_fibers_, channel_fibers_;
    struct WatchedFile {
        FileState taken, seen;
    };  // when a generation last read it; at the last look
    std::map<std::string, WatchedFile> files_;
    loop::Condition changed_, died_;
    loop::Deadline throttled_until_{};
    loop::Deadline limit_told_{};
    std::int64_t failed_starts_ = 0;  // processes that could not be made, in a row
    bool stopping_ = false, one_session_ = false, known_ = false, bound_by_processes_ = false, used_ = false;
    int session_limit_ = 0;
};
}
