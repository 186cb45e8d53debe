#include "actions.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/check.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/rights.h"
#include "interface_check.h"
#include "key_check.h"
#include "log/log.h"
#include "permissions.h"
#include "queue_tree.h"
#include "report_check.h"
#include "server/maillog.h"
#include "table/table.h"

using namespace std::chrono_literals;

namespace postfix {
namespace {
int fail(const std::string& text) {
    maillog::write(maillog::Level::fatal, text);
    return 1;
}
int not_running() { return fail("the Postfix mail system is not running"); }

std::vector<std::string> master_command(const System& s, std::initializer_list<const char*> options) {
    std::vector<std::string> args{s.settings[param::daemon_directory] + "/master", "-c", s.directory};
    for (const char* o : options)
        args.emplace_back(o);
    for (int i = 0; i < s.verbose; ++i)
        args.emplace_back("-v");
    if (s.debug)
        args.emplace_back("-D");
    return args;
}

// What must be right before anything is started; false when it was said what is not. notes: also what changes nothing.
bool ready_to_start(const System& s, bool notes = false) {
    auto wrong = [](const std::string& what) {
        fail(what);
        return false;
    };
    if (std::string problem = server::maillog_problem(s.settings); !problem.empty())
        return wrong(problem);
    conf::Findings findings = conf::check_directory(s.directory, table::types());
    if (findings.refusals.empty())
        findings.refusals = interface_problems(s.settings);
    for (const std::string& w : findings.warnings)
        maillog::warning("{}", w);
    if (notes)
        for (const std::string& n : findings.notes)
            maillog::warning("{}", n);
    for (const std::string& r : findings.refusals)
        fail(r);
    if (!findings.refusals.empty())
        return false;
    if (Result<void> r = make_places(s.settings, false); !r)
        return wrong(r.error().reason);
    for (const auto& problems : {place_problems(s.settings), program_problems(s.settings),
                                 key_problems(s.settings, s.verbose > 0), report_problems(s.settings)})
        for (const std::string& problem : problems)
            maillog::warning("{}", problem);
    return true;
}

// Waits until the master is gone.
bool gone_within(const System& s, std::chrono::milliseconds time) {
    for (auto end = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < end;
         std::this_thread::sleep_for(10ms))
        if (running_master(s) == 0)
            return true;
    return running_master(s) == 0;
}

struct Row {
    const char* name;
    Action action;
};
constexpr Row rows[] = {{"check", check},
                        {"start", start},
                        {"start-fg", start_fg},
                        {"stop", stop},
                        {"abort", abort},
                        {"flush", flush},
                        {"reload", reload},
                        {"status", status},
                        {"set-permissions", set_permissions},
                        {"upgrade-configuration", upgrade_configuration},
                        {"logrotate", logrotate},
                        {"create-missing", create_missing},
                        {"quick-start", quick_start},
                        {"quick-stop", quick_stop},
                        {"drain", quick_stop},
                        {"tls", tls_command}};
}

int run_program(std::vector<std::string> args, bool become) {
    std::vector<char*> argv;
    for (std::string& a : args)
        argv.push_back(a.data());
    argv.push_back(nullptr);
    pid_t child = become ? 0 : fork();
    if (child < 0)
        return fail("fork: " + errno_text(errno));
    if (child == 0) {
        execv(argv[0], argv.data());
        maillog::write(maillog::Level::fatal, args[0] + ": " + errno_text(errno));
        _exit(1);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

Action find_action(const std::string& name) {
    for (const Row& r : rows)
        if (name == r.name)
            return r.action;
    return nullptr;
}

namespace {
// The process that the pid file names, while it holds the lock on it.
pid_t pid_of_master(const System& s) {
    std::string path =
        s.settings[param::queue_directory] + "/" + s.settings[param::process_id_directory] + "/master.pid";
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd || flock(fd.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return 0;
    Result<std::string> text = read_file(path, 100);
    return text ? static_cast<pid_t>(bytes::to_int(bytes::trim(*text)).value_or(0)) : 0;
}

// The lock that master holds beside the pid file's, in a directory of mail_owner's. That it is held is all that counts.
bool instance_locked(const System& s) {
    Result<conf::Identity> owner = conf::mail_owner(s.settings);
    if (!owner)
        return false;
    conf::TakeIdentity as_owner(*owner);
    UniqueFd fd(::open((s.settings[param::data_directory] + "/master.lock").c_str(),
                       O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    return fd && flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}
}

// A pid file that was removed is put back by master soon.
pid_t running_master(const System& s) {
    for (auto end = std::chrono::steady_clock::now() + 5s;; std::this_thread::sleep_for(20ms)) {
        if (pid_t pid = pid_of_master(s))
            return pid;
        if (!instance_locked(s))
            return 0;
        if (std::chrono::steady_clock::now() < end)
            continue;
        maillog::warning("{}/master.lock is locked, but no process puts back {}/{}/master.pid, which would name it",
                         s.settings[param::data_directory], s.settings[param::queue_directory],
                         s.settings[param::process_id_directory]);
        return 0;
    }
}

int check(const System& s) { return ready_to_start(s, true) ? 0 : 1; }

int quick_start(const System& s) {
    if (running_master(s))
        return fail("the Postfix mail system is already running");
    maillog::info("starting the Postfix mail system");
    int rc = run_program(master_command(s, {"-w"}));
    return rc == 0 ? 0 : fail("mail system startup failed");
}

int start(const System& s) {
    if (running_master(s))
        return fail("the Postfix mail system is already running");
    if (!ready_to_start(s))
        return 1;
    return quick_start(s);
}

int start_fg(const System& s) {
    if (running_master(s))
        return fail("the Postfix mail system is already running");
    if (!ready_to_start(s))
        return 1;
    maillog::info("starting the Postfix mail system");
    return run_program(master_command(s, {getpid() == 1 ? "-i" : "-s"}), true);
}

int stop(const System& s) {
    pid_t pid = running_master(s);
    if (!pid)
        return not_running();
    maillog::info("stopping the Postfix mail system");
    kill(pid, SIGTERM);
    if (gone_within(s, 9s))
        return 0;
    maillog::info("stopping the Postfix mail system with force");
    kill(pid, SIGKILL);
    return gone_within(s, 3s) ? 0 : 1;
}

int quick_stop(const System& s) { return stop(s); }

int abort(const System& s) {
    pid_t pid = running_master(s);
    if (!pid)
        return not_running();
    maillog::info("aborting the Postfix mail system");
    kill(pid, SIGQUIT);
    if (gone_within(s, 2s))
        return 0;
    kill(pid, SIGKILL);
    return gone_within(s, 3s) ? 0 : 1;
}

int flush(const System& s) {
    return run_program({s.settings[param::command_directory] + "/postqueue", "-c", s.directory, "-f"});
}

int reload(const System& s) {
    pid_t pid = running_master(s);
    if (!pid)
        return not_running();
    if (!ready_to_start(s))
        return fail("the new configuration is refused; the running system goes on with the old one");
    maillog::info("refreshing the Postfix mail system");
    return kill(pid, SIGHUP) == 0 ? 0 : 1;
}

int status(const System& s) {
    pid_t pid = running_master(s);
    if (!pid) {
        maillog::info("the Postfix mail system is not running");
        return 1;
    }
    maillog::info("the Postfix mail system is running: PID: {}", pid);
    return 0;
}

int create_missing(const System& s) {
    Result<void> r = make_places(s.settings, false);
    return r ? 0 : fail(r.error().reason);
}

int upgrade_configuration(const System&) {
    return fail("upgrade-configuration: there is nothing to upgrade: main.cf and master.cf are taken as they are, and "
                "never edited");
}

}
