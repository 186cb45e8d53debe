// master: the supervisor. See master(8); service.h has the rules, supervisor.h what holds them together.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "conf/params/cleanup.h"
#include "conf/params/global.h"
#include "log/log.h"
#include "pid_file.h"
#include "server/maillog.h"
#include "server/process.h"
#include "server/sandbox.h"
#include "server/worker_protocol.h"
#include "supervisor.h"

namespace {
struct Command {
    std::string directory;
    bool debug = false;       // -d: keep stdio and terminal
    bool foreground = false;  // -s: keep stdio
    bool init = false;        // -i: process 1
    bool wait = false;        // -w: the starting process returns when this one is ready
    bool test = false;        // -t: exit 0 where no master runs
    unsigned exit_after = 0;  // -e
    master::Options options;
};

[[noreturn]] void usage(const char* program) {
    maillog::write(maillog::Level::fatal,
                   std::string("usage: ") + program +
                       " [-c config_dir] [-D (debug)] [-d (don't detach from terminal)] [-i (init mode)] [-s (stay in "
                       "the foreground)] [-e exit_time] [-t (test)] [-v] [-w (wait for initialization)]");
    std::exit(1);
}

Command parse(int argc, char** argv) {
    Command c;
    const char* config = std::getenv("MAIL_CONFIG");
    c.directory = config ? config : std::string(param::config_directory.fallback);
    for (int option; (option = getopt(argc, argv, "c:Dde:istvw")) >= 0;) {
        switch (option) {
        case 'c': c.directory = optarg; break;
        case 'D': c.options.debug = true; break;
        case 'd': c.debug = true; break;
        case 'e': c.exit_after = static_cast<unsigned>(bytes::to_int(optarg).value_or(0)); break;
        case 'i': c.init = true; break;
        case 's': c.foreground = true; break;
        case 't': c.test = true; break;
        case 'v': ++c.options.verbose; break;
        case 'w': c.wait = true; break;
        default: usage(argv[0]);
        }
    }
    if (optind < argc)
        usage(argv[0]);
    return c;
}

// With -w the process that was started waits for a byte of the real one: what it said until then is on the terminal,
// and the exit status tells how it went.
class Announcement {
public:
    void detach(bool wait) {
        int fds[2] = {-1, -1};
        if (wait && pipe2(fds, O_CLOEXEC) != 0)
            maillog::fatal("pipe: {}", errno_text(errno));
        pid_t child = wait ? fork() : 0;
        if (child < 0)
            maillog::fatal("fork: {}", errno_text(errno));
        if (child == 0) {
            if (wait) {
                ::close(fds[0]);
                to_ = UniqueFd(fds[1]);
            }
            return;
        }
        ::close(fds[1]);
        char byte = 0;
        ssize_t n;
        do
            n = ::read(fds[0], &byte, 1);
        while (n < 0 && errno == EINTR);
        if (n == 1)
            ::_exit(0);
        int status = 0;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
        ::_exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1);
    }
    void ready() {
        if (to_)
            (void)!::write(to_.get(), "", 1);
        to_.reset();
    }

private:
    UniqueFd to_;
};

void leave_terminal(const Command& c) {
    int null = ::open("/dev/null", O_RDWR);
    if (null < 0)
        maillog::fatal("/dev/null: {}", errno_text(errno));
    dup2(null, STDIN_FILENO);
    if (!c.foreground && !c.init) {
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
    }
    if (null > STDERR_FILENO)
        ::close(null);
    if (!c.foreground)
        (void)setsid();
}

void fill_standard_descriptors() {
    for (int fd = 0; fd < 3; ++fd)
        if (fcntl(fd, F_GETFD) < 0)
            (void)::open("/dev/null", O_RDWR);
    close_from(3);
}

int supervise(const Command& c, const master::ConfigurationPtr& configuration, master::PidFile& pid_file,
              Announcement& announcement) {
    Result<UniqueFd> flow = server::worker::make_memory("flow", sizeof(std::int32_t));
    if (!flow)
        maillog::fatal("{}", flow.error().reason);
    server::Programs programs;
    Result<void> identities = programs.make();
    Result<UniqueFd> nothing = server::worker::make_memory("nothing", 0);
    if (!nothing)
        maillog::fatal("{}", nothing.error().reason);
    master::Options options = c.options;
    options.flow = flow->get();
    options.programs = &programs;
    options.programs_memory = identities ? programs.fd() : nothing->get();
    loop::Loop loop;
    master::Supervisor supervisor(loop, c.directory, options);
    const conf::Settings& s = configuration->settings;
    if (Result<void> r = supervisor.start(configuration); !r) {
        maillog::write(maillog::Level::fatal, r.error().reason);
        std::_Exit(1);
    }
    for (int number : {SIGTERM, SIGINT})
        loop.on_signal(number, [&, number] { supervisor.stop("terminating on signal " + std::to_string(number)); });
    loop.on_signal(SIGQUIT, [&] { supervisor.abort(); });
    loop.on_signal(SIGHUP, [&] { loop.spawn([&] { supervisor.reload(); }); });
    loop.on_signal(SIGCHLD, [&] { supervisor.reap(); });
    loop.every(std::chrono::seconds(1), [&] { master::keep_pid_file(pid_file, s[param::process_id_directory]); });
    if (c.exit_after > 0)
        loop.every(std::chrono::seconds(c.exit_after), [&] { supervisor.stop("master exit time has arrived"); });
    if (!c.debug)
        leave_terminal(c);  // only now: what goes wrong on the way is seen
    maillog::to_stderr("");
    maillog::info("daemon started -- version {}, configuration {}", s[param::mail_version], c.directory);
    if (std::string problem = server::sandbox_problem(); s[param::sandbox_enable] && !problem.empty())
        maillog::warning("sandbox_enable: the daemons run without system-call filters: {}", problem);
    if (!identities)
        maillog::warning("any daemon may ask any other: {}", identities.error().reason);
    announcement.ready();
    loop.run();
    return 0;
}
}

int main(int argc, char** argv) {
    fill_standard_descriptors();  // before anything is opened
    maillog::to_stderr("master");
    maillog::open({"postfix/master"});
    umask(077);
    Command c = parse(argc, argv);
    maillog::set_verbose(c.options.verbose);
    if (geteuid() != 0)
        maillog::fatal("the master must be started as the superuser");
    if (c.init && getpid() != 1)
        c.foreground = true;
    if (c.directory[0] != '/')
        maillog::fatal("-c {}: an absolute path is expected", c.directory);
    setenv("MAIL_CONFIG", c.directory.c_str(), 1);
    Result<master::ConfigurationPtr> configuration = master::read_configuration(c.directory, 1);
    if (!configuration)
        maillog::fatal("{}", configuration.error().reason);
    const conf::Settings& s = (*configuration)->settings;
    if (std::string problem = server::maillog_problem(s); !problem.empty())
        maillog::fatal("{}", problem);
    server::import_environment(s[param::import_environment]);
    setenv("MAIL_CONFIG", c.directory.c_str(), 1);
    if (!s[param::maillog_file].empty()) {  // for the commands that daemons run
        setenv("POSTLOG_SERVICE", (s[param::queue_directory] + "/public/" + s[param::postlog_service_name]).c_str(), 1);
        setenv("POSTLOG_HOSTNAME", s[param::myhostname].c_str(), 1);
    }
    tzset();
    const std::string& queue = s[param::queue_directory];
    if (chdir(queue.c_str()) != 0)
        maillog::fatal("queue_directory {}: {}", queue, errno_text(errno));
    const std::string& pid_directory = s[param::process_id_directory];
    if (c.test) {
        Result<master::PidFile> file = master::lock_pid_file(pid_directory);
        Result<UniqueFd> lock = master::lock_instance(s);
        return file && file->fd && lock && *lock ? 0 : 1;
    }
    server::open_maillog(s, "master", server::Speaker::master);
    Announcement announcement;
    if (!c.init)
        announcement.detach(c.wait);
    Result<master::PidFile> file = master::lock_pid_file(pid_directory);
    if (!file)
        maillog::fatal("{}", file.error().reason);
    if (!file->fd)
        maillog::fatal("{}/{}/master.pid: the mail system is running already, process {}", queue, pid_directory,
                       file->owner);
    Result<UniqueFd> lock = master::lock_instance(s);
    if (!lock)
        maillog::fatal("{}", lock.error().reason);
    if (!*lock)
        maillog::fatal("{}/master.lock: the mail system is running already, or its data_directory is another one's",
                       s[param::data_directory]);
    if (Result<void> r = master::write_pid(*file); !r)
        maillog::fatal("{}", r.error().reason);
    server::raise_descriptor_limit(4096);
    signal(SIGPIPE, SIG_IGN);
    return supervise(c, *configuration, *file, announcement);
}
