#include "server/server.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <set>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/master_cf.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "dns/dns.h"
#include "log/backlog.h"
#include "log/log.h"
#include "log/syslog_client.h"
#include "server/maillog.h"
#include "server/state.h"
#include "table/name_service.h"
#include "table/table.h"

namespace server {
State state;

namespace {
std::atomic<std::int32_t> no_flow{0};  // run by hand
std::atomic<std::int32_t>* flow = &no_flow;

Kind kind_of(std::string_view type) {
    if (type == "unix-dgram")
        return Kind::datagram;
    if (type == "fifo")
        return Kind::fifo;
    return type == "pass" ? Kind::pass : Kind::stream;
}

// How many sessions the service may have: maxproc, or the defaults (DESIGN.md, section 4); 0 is no limit.
std::int32_t session_limit(const Daemon& daemon, const conf::Settings& s, std::optional<int> maxproc) {
    if (daemon.bound == Bound::processes || daemon.one_process)
        return 0;
    if (maxproc)
        return *maxproc;
    if (daemon.default_limit && !s.is_set(param::default_process_limit.name))
        return static_cast<std::int32_t>(s[*daemon.default_limit]);
    return static_cast<std::int32_t>(s[param::default_process_limit]);
}

// How many a process of many sessions may have: what process_session_limit, descriptors and stacks carry.
std::int32_t own_session_limit(const conf::Settings& s, std::int32_t limit) {
    constexpr std::size_t each = 4, spare = 128,
                          most = 15000;  // descriptors of a session, of the rest; stacks are two mappings each
    std::size_t sessions = limit > 0 ? std::min<std::size_t>(static_cast<std::size_t>(limit), most) : 2000;
    std::size_t carried = raise_descriptor_limit(sessions * each + spare);
    carried = carried > spare + each ? (carried - spare) / each : 1;
    // No session is lost by that: master starts another process when this one is full.
    if (carried < sessions && limit > 0 && maillog::verbose())
        maillog::info("service {}: the descriptor limit carries {} sessions of {} in a process",
                      state.arguments.service, carried, limit);
    sessions = std::min(sessions, carried);
    if (std::int64_t own = s[param::process_session_limit]; own > 0)
        sessions = std::min<std::size_t>(sessions, static_cast<std::size_t>(own));
    return static_cast<std::int32_t>(sessions);
}

void set_signals() {
    signal(SIGPIPE, SIG_IGN);
    struct sigaction nothing {};  // not SIG_IGN: commands that a daemon runs would inherit it
    nothing.sa_handler = [](int) {};
    nothing.sa_flags = SA_RESTART;
    for (int number : {SIGHUP, SIGINT, SIGQUIT})
        sigaction(number, &nothing, nullptr);
    signal(SIGCHLD, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

Result<void> inherit() {
    if (fcntl(worker::channel_fd, F_SETFD, FD_CLOEXEC) != 0)
        return system_error("channel to master", errno);
    TRY_ASSIGN(state.board, Board::map(worker::board_fd));
    ::close(worker::board_fd);
    void* memory = mmap(nullptr, sizeof *flow, PROT_READ | PROT_WRITE, MAP_SHARED, worker::flow_fd, 0);
    if (memory == MAP_FAILED)
        return system_error("map the memory of all services", errno);
    flow = static_cast<std::atomic<std::int32_t>*>(memory);
    ::close(worker::flow_fd);
    TRY(state.programs.map(worker::programs_fd));
    ::close(worker::programs_fd);
    for (int i = 0; i < state.arguments.sockets; ++i) {
        state.listeners.emplace_back(worker::first_listener_fd + i);
        TRY(set_close_on_exec(worker::first_listener_fd + i));
    }
    return {};
}

Result<void> check_demands(const Daemon& daemon) {
    const Arguments& a = state.arguments;
    if (!daemon.takes_words && !a.rest.empty())
        return permanent((a.service.empty() ? "" : "service " + a.service + ": ") +
                         conf::unexpected_word(a.rest.front(), a.overrides));
    if (daemon.one_process && a.maxproc.value_or(0) != 1)
        return permanent("service " + a.service +
                         ": one process alone may do this work: set maxproc to 1 in master.cf");
    if (daemon.privileges == Privileges::kept && a.drop_rights)
        return permanent("service " + a.service +
                         ": this needs root's rights: set the unprivileged column of master.cf to n");
    return {};
}

Result<void> confine(need::Set needs, bool holds_keys) {
    TRY(forbid_new_rights());
    if (!(*state.normal)[param::sandbox_enable])
        return {};
    if (holds_keys)
        forbid_core_files();
    if (Result<void> r = load_filter(needs); !r)
        maillog::warning("no system-call filter: {}", r.error().reason);
    return {};
}

// Lines for the log did not find their way: master says so in its own.
void say_lost(std::size_t lines) {
    if (state.tell("lost " + std::to_string(lines)))
        return;
    maillog::redirect(nullptr, nullptr);  // master has gone, and postlogd with it
    maillog::warning("{} lines for maillog_file were lost: postlogd did not take them", lines);
}

Result<void> prepare(const Daemon& daemon) {
    const Arguments& a = state.arguments;
    const conf::Settings& s = *state.normal;
    const std::string& queue = s[param::queue_directory];
    if (chdir(queue.c_str()) != 0)
        return system_error("queue_directory " + queue, errno);
    TRY(check_demands(daemon));
    if (daemon.holds_keys && !a.stand_alone && s[param::sandbox_enable])
        forbid_core_files();
    state.limit = session_limit(daemon, s, a.maxproc);
    if (daemon.sessions == Sessions::many)
        state.own_limit = own_session_limit(s, state.limit);
    tzset();
    dns::open();
    table::configure(s);
    if (daemon.before_jail)
        TRY(daemon.before_jail(s));
    for (const std::string& path : table::opened_files())
        opened_file(path);
    const bool set_aside = daemon.privileges == Privileges::kept && conf::can_take_rights();
    conf::Identity owner;
    if (a.drop_rights || set_aside) {
        TRY_ASSIGN(owner, conf::mail_owner(s));
    }
    if (a.jail) {
        TRY(table::leave_name_service_outside(owner.uid, owner.gid, [] { (void)confine(need::tables, false); }));
        TRY(enter_jail(queue));
    }
    maillog::on_syslog_lost([] { state.tell("syslog"); },
                            a.jail);  // master opens /dev/log: there is none in the jail, or it is root's alone
    maillog::on_lines_lost(say_lost);
    if (a.drop_rights)
        TRY(drop_rights(owner));
    if (set_aside)
        conf::TakeIdentity(owner).keep();
    if (a.stand_alone || (daemon.needs & need::commands))
        return {};  // by hand: with the rights of who started it, whatever they are
    return confine(daemon.needs, daemon.holds_keys);
}
}

int refuse(const std::string& reason) {
    if (!state.arguments.stand_alone && state.arguments.sockets > 0)
        state.tell("bad " + reason);
    if (!state.arguments.successor)
        maillog::write(maillog::Level::fatal, reason);  // else master says it, once
    return 1;
}

int run(const Daemon& daemon, int argc, char** argv) {
    state.daemon = &daemon;
    std::string_view program = argc > 0 ? argv[0] : "";
    program.remove_prefix(std::min(program.size(), program.rfind('/') + 1));
    state.process_name = program.empty() ? daemon.name : program;
    umask(077);
    set_signals();
    Result<Arguments> arguments = parse_arguments(argc, argv);
    if (!arguments) {
        maillog::to_stderr(state.process_name);
        maillog::open({"postfix/" + state.process_name});
        return refuse(arguments.error().reason);
    }
    state.arguments = std::move(*arguments);
    state.kind = kind_of(state.arguments.type);
    maillog::set_verbose(state.arguments.verbose);
    if (!state.arguments.stand_alone) {
        close_from(worker::first_listener_fd +
                   state.arguments.sockets);  // before this process opens anything of its own
        maillog::open({"postfix/" + state.process_name});
        if (Result<void> r = inherit(); !r)
            return refuse(r.error().reason);
    }
    Result<conf::Settings> s = read_settings(state.arguments, state.process_name);
    if (!s)
        return refuse(s.error().reason);
    state.normal = std::move(*s);
    open_maillog(*state.normal, state.process_name, state.arguments.stand_alone ? Speaker::command : Speaker::daemon);
    if (state.arguments.debug)
        start_debugger(*state.normal);
    if (Result<void> r = prepare(daemon); !r)
        return refuse(r.error().reason);
    int status = state.arguments.stand_alone        ? serve_stand_alone()
                 : daemon.sessions == Sessions::one ? serve_one_by_one()
                                                    : serve_many();
    if (status == 0 && daemon.ending)
        daemon.ending();
    return status;
}

int serve_stand_alone() {
    struct stat st {};
    if (fstat(STDIN_FILENO, &st) != 0 || !S_ISSOCK(st.st_mode))
        return refuse("-S: a socket is expected as standard input");
    int status = 0;
    auto session = [&status] {
        if (state.daemon->after_jail)
            if (Result<void> r = state.daemon->after_jail(*state.normal); !r) {
                status = refuse(r.error().reason);
                return;
            }
        Result<net::Address> peer = net::peer_address(STDIN_FILENO);
        serve_connection(UniqueFd(dup(STDIN_FILENO)), peer ? *peer : net::Address());
    };
    if (state.daemon->sessions == Sessions::one) {
        session();
        return status;
    }
    loop::Loop fibers;
    fibers.spawn([&] {
        session();
        fibers.cancel_all();  // what the daemon has started beside it
    });
    fibers.run();
    return status;
}

// --- places

bool State::take_place() {
    if (!board.take(arguments.slot, limit)) {
        if (!limit_told)
            tell("limit");
        limit_told = true;
        stress_on = true;
        return false;
    }
    ++sessions;
    return true;
}
void State::judge_stress() {
    std::int32_t all = limit > 0 ? board.sessions() : 0;
    if (limit > 0 && all >= limit)
        stress_on = true;
    else if (stress_on && all * 10 < limit * 9)
        stress_on = false;
    if (stress_on && !limit_told && limit > 1 && daemon->sessions == Sessions::many) {
        tell("limit");
        limit_told = true;
    }
    if (!stress_on)
        limit_told = false;
}
void State::give_place_back() {
    --sessions;
    board.give_back(arguments.slot);
}

// --- what a running daemon may ask

const conf::Settings& settings() {
    if (!state.stress_on)
        return *state.normal;
    if (!state.stressed) {
        Result<conf::Settings> s = state.normal->with({{"stress", "yes"}});
        state.stressed = s ? std::move(*s) : *state.normal;
        if (!s)
            maillog::warning("under stress: {}", s.error().reason);
    }
    return *state.stressed;
}
const std::string& service_name() { return state.arguments.service; }
const std::vector<std::string>& arguments() { return state.arguments.rest; }
bool stopping() { return state.stopping; }
bool retired() {
    if (state.daemon->sessions == Sessions::one && !state.arguments.stand_alone)
        (void)hear_master();
    return state.retired;
}
bool stressed() { return state.stress_on; }
bool successor() { return state.arguments.successor; }
bool stand_alone() { return state.arguments.stand_alone; }

void opened_file(const std::string& path) {
    static std::set<std::string> told;
    if (state.arguments.stand_alone || state.arguments.sockets == 0 || path.empty() || path[0] != '/')
        return;
    if (told.size() < 1000 && told.insert(path).second)
        state.tell("file " + path);
}

void opened_tls_files(const conf::Settings& settings, const std::string& prefix) {
    for (const char* what : {"chain_files", "cert_file", "key_file", "dcert_file", "dkey_file", "eccert_file",
                             "eckey_file", "CAfile", "CApath", "trust_anchor_file", "dh1024_param_file"}) {
        const std::string files = settings.value(prefix + "_tls_" + what).value_or("");
        for (std::string_view file : bytes::split(files, ", \t\r\n"))
            opened_file(std::string(file));
    }
}

void set_mail_waiting(std::size_t messages) {
    flow->store(static_cast<std::int32_t>(std::min<std::size_t>(messages, 1u << 30)));
}
std::size_t mail_waiting() { return static_cast<std::size_t>(std::max(flow->load(), 0)); }

void wake_service(std::string_view path, std::string_view request) {
    Result<void> r = net::trigger(std::string(path), request, loop::in(settings()[param::trigger_timeout]));
    if (!r)
        maillog::warning("wake up {}: {}", path, r.error().reason);
}

void end_in(unsigned seconds) { alarm(seconds); }
}
