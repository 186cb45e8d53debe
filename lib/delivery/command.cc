// See delivery/command.h. The parent feeds the message and gathers the output in one poll loop, so that neither side
// can block the other; then it waits for the end of the command, in short steps, until the time is over.
#include "delivery/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <fmt/format.h>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/params/commands.h"
#include "conf/params/local.h"
#include "conf/settings.h"
#include "delivery/shell.h"
#include "log/log.h"
#include "loop/loop.h"

extern char** environ;

namespace delivery {
namespace {
using Clock = std::chrono::steady_clock;
constexpr std::size_t output_max = 4096;
constexpr int exit_no_directory = 253;  // told apart from the command's own status by the status pipe
constexpr const char* path_default = "/usr/bin:/bin";

struct Pipe {
    UniqueFd read, write;
};
Result<Pipe> make_pipe() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0)
        return system_error("pipe", errno);
    return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// --- the child: only calls that are safe after fork in a process with one thread

void say(std::string_view text) { [[maybe_unused]] ssize_t n = ::write(STDERR_FILENO, text.data(), text.size()); }

[[noreturn]] void fail_child(std::string text, int status) {
    say(text + "\n");
    ::_exit(status);
}

void reset_signals() {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    for (int number : {SIGPIPE, SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGALRM, SIGUSR1, SIGUSR2, SIGQUIT})
        ::sigaction(number, &action, nullptr);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Returns only where the program cannot be executed; errno says why.
void execute_program(std::vector<std::string>& arguments) {
    std::vector<char*> argv;
    for (std::string& a : arguments)
        argv.push_back(a.data());
    argv.push_back(nullptr);
    errno = EINVAL;
    if (argv[0])
        ::execvp(argv[0], argv.data());  // looks along PATH of the environment
}

// A bare name that is nowhere along PATH may still mean something to a shell; if not, the shell says so with the status
// of an unknown command, and the sender hears of it at once: such a name is a mistake, while a file may be missing for
// the time of an update.
bool may_be_known_to_shell(const Command& command, std::string_view program) {
    return command.arguments.empty() && bytes::trim(command.shell).empty() && program.find('/') == program.npos;
}

void limit_files(std::int64_t bytes) {
    rlimit limit{};
    if (bytes <= 0 || ::getrlimit(RLIMIT_FSIZE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? static_cast<rlim_t>(bytes)
                                                     : std::min(limit.rlim_max, static_cast<rlim_t>(bytes));
    ::setrlimit(RLIMIT_FSIZE, &limit);
}
}

[[noreturn]] void execute(const Command& command) {
    if (conf::can_take_rights() && ::seteuid(0) != 0)
        fail_child("cannot take root's rights again", 71);
    if (!command.chroot.empty() && (::chroot(command.chroot.c_str()) != 0 || ::chdir("/") != 0))
        fail_child("cannot change root to " + command.chroot + ": " + errno_text(errno), exit_no_directory);
    limit_files(command.file_size_limit);
    if (!drop_rights_forever(command.rights))
        fail_child("cannot take the rights of " + command.rights.name, 71);
    if (!command.directory.empty() && ::chdir(command.directory.c_str()) != 0)
        fail_child(fmt::format("cannot change directory to \"{}\" for uid={} gid={}: {}", command.directory,
                               command.rights.uid, command.rights.gid, errno_text(errno)),
                   exit_no_directory);
    std::vector<std::string> arguments =
        command.arguments.empty() ? shell_arguments(command.line, command.shell) : command.arguments;
    std::vector<std::string> settings;
    for (auto& [name, value] : command.environment)
        settings.push_back(name + "=" + value);
    std::vector<char*> envp;
    for (std::string& s : settings)
        envp.push_back(s.data());
    envp.push_back(nullptr);
    ::environ = envp.data();
    execute_program(arguments);
    if (errno == ENOENT && may_be_known_to_shell(command, arguments[0])) {
        arguments = by_shell(command.line);
        execute_program(arguments);
    }
    const int error = errno;
    fail_child(
        fmt::format("{}: execvp {}: {}", command.speaker, arguments.empty() ? "" : arguments[0], errno_text(error)),
        75);
}

void kill_command(pid_t pid) {
    TakeRights root(root_rights);  // it may have become yet another user
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
}

namespace {
struct Running {
    pid_t pid;
    UniqueFd input, output;
    Clock::time_point until;
    std::string kept{};

    int left_ms() const {
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count() + 1;
        return static_cast<int>(std::clamp<long long>(left, 0, 1 << 30));
    }
    // What has arrived; closes the output at its end.
    void read_output() {
        char buffer[4096];
        ssize_t n = ::read(output.get(), buffer, sizeof buffer);
        if (n > 0 && kept.size() < output_max)
            kept.append(buffer, std::min(static_cast<std::size_t>(n), output_max - kept.size()));
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            output.reset();
    }
    // Waits until the input takes bytes, or output has arrived. false: the time is over.
    bool wait(bool feeding, int most_ms = 1 << 30) {
        std::array<pollfd, 2> fds{pollfd{output ? output.get() : -1, POLLIN, 0},
                                  pollfd{feeding ? input.get() : -1, POLLOUT, 0}};
        int left = left_ms();
        if (left == 0)
            return false;
        if (::poll(fds.data(), fds.size(), std::min(left, most_ms)) > 0 && fds[0].revents)
            read_output();
        return true;
    }
    // A reader that went away, or has no time left, ends the feeding; neither is an error of the message.
    Result<void> feed(std::string_view text) {
        while (!text.empty() && input) {
            ssize_t n = ::write(input.get(), text.data(), text.size());
            if (n > 0) {
                text.remove_prefix(static_cast<std::size_t>(n));
                continue;
            }
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                input.reset();
            else if (!wait(true))
                input.reset();
        }
        return {};
    }
};

}

ForkPatience::ForkPatience(const conf::Settings& settings)
    : attempts(settings[param::fork_attempts]), delay(settings[param::fork_delay]) {}

pid_t fork_patiently(const ForkPatience& patience) {
    for (std::int64_t attempt = 1;; ++attempt) {
        pid_t pid = ::fork();
        if (pid >= 0 || errno != EAGAIN || attempt >= patience.attempts)
            return pid;
        maillog::warning("fork: {}", errno_text(EAGAIN));
        loop::sleep_until(loop::in(patience.delay));
    }
}

namespace {
Result<Running> start(const Command& command) {
    TRY_ASSIGN(Pipe in, make_pipe());
    TRY_ASSIGN(Pipe out, make_pipe());
    pid_t pid = fork_patiently(command.patience);
    if (pid < 0)
        return system_error("fork", errno);
    if (pid == 0) {
        reset_signals();
        ::setsid();
        if (::dup2(in.read.get(), STDIN_FILENO) < 0 || ::dup2(out.write.get(), STDOUT_FILENO) < 0 ||
            ::dup2(out.write.get(), STDERR_FILENO) < 0)
            ::_exit(71);
        close_from(STDERR_FILENO + 1);
        execute(command);
    }
    TRY(set_nonblocking(in.write.get()));
    TRY(set_nonblocking(out.read.get()));
    return Running{pid, std::move(in.write), std::move(out.read), Clock::now() + command.time_limit};
}

// Until it ends or the time is over; a child of its own that keeps the output open does not count.
bool wait_for_end(Running& running, int& status) {
    int pause_ms = 1;
    for (;;) {
        pid_t done = ::waitpid(running.pid, &status, WNOHANG);
        if (done == running.pid)
            return true;
        if (done < 0 && errno != EINTR) {
            status = 0;
            return true;
        }
        if (running.output) {
            if (!running.wait(false, pause_ms))
                return false;
        } else if (running.left_ms() == 0)
            return false;
        else
            ::poll(nullptr, 0, pause_ms);
        if (!running.output || pause_ms < 20)
            pause_ms = std::min(pause_ms * 2, 20);
    }
}
}

Result<CommandEnd> run_command(const Command& command, const std::function<Result<void>(const Sink&)>& write) {
    ::signal(SIGPIPE, SIG_IGN);  // a command that stops reading is no error
    TRY_ASSIGN(Running running, start(command));
    Result<void> written = write([&](std::string_view text) { return running.feed(text); });
    running.input.reset();
    CommandEnd end;
    int status = 0;
    bool ended = written && wait_for_end(running, status);
    if (!ended) {
        end.timed_out = written.has_value();
        kill_command(running.pid);
        while (::waitpid(running.pid, &status, 0) < 0 && errno == EINTR) {}
    }
    TRY(written);  // a queue file that cannot be read: the command saw half a message
    for (int i = 0; i < 64 && running.output && ended; ++i) {  // what it left in the pipe
        std::size_t before = running.kept.size();
        running.read_output();
        if (running.kept.size() == before)
            break;
    }
    end.output = std::move(running.kept);
    for (char& c : end.output)
        if (c == '\n' || c == '\t')
            c = ' ';
    end.output = bytes::printable(end.output, true, '_');
    if (!end.timed_out && WIFSIGNALED(status))
        end.signal = WTERMSIG(status);
    else if (WIFEXITED(status))
        end.status = WEXITSTATUS(status);
    if (end.status == exit_no_directory && end.output.starts_with("cannot change ")) {
        end.no_directory = true;
        maillog::warning("{}", end.output);
    }
    return end;
}

CommandResult explain(const CommandEnd& end, std::string_view command) {
    struct Meaning {
        int code;
        EnhancedStatus status;
        std::string_view text;
    };
    static constexpr Meaning meanings[] = {
        {64, {5, 3, 0}, "command line usage error"},  {65, {5, 6, 0}, "data format error"},
        {66, {5, 3, 0}, "cannot open input"},         {67, {5, 1, 1}, "user unknown"},
        {68, {5, 1, 2}, "host name unknown"},         {69, {5, 3, 0}, "service unavailable"},
        {70, {5, 3, 0}, "internal software error"},   {71, {4, 3, 0}, "system resource problem"},
        {72, {5, 3, 0}, "critical OS file missing"},  {73, {5, 2, 0}, "can't create user output file"},
        {74, {5, 3, 0}, "input/output error"},        {75, {4, 3, 0}, "temporary failure"},
        {76, {5, 5, 0}, "remote error in protocol"},  {77, {5, 7, 0}, "permission denied"},
        {78, {5, 3, 5}, "local configuration error"},
    };
    auto with_output = [&](std::string text) {
        return end.output.empty() ? text : text + ". Command output: " + end.output;
    };
    if (end.no_directory)
        return {{4, 3, 0}, "temporary failure"};
    if (end.timed_out)
        return {{5, 3, 0}, with_output(fmt::format("Command time limit exceeded: \"{}\"", command))};
    if (end.signal)
        return {{4, 3, 0}, with_output(fmt::format("Command died with signal {}: \"{}\"", end.signal, command))};
    if (end.status == 0)
        return {{2, 0, 0}, ""};
    // A status code at the start of the output counts for more than the exit status.
    EnhancedStatus own;
    std::size_t taken = EnhancedStatus::parse(end.output, own);
    if (taken > 0 && !own.success())
        return {own, std::string(bytes::trim(std::string_view(end.output).substr(taken))).append(" ")};
    for (const Meaning& m : meanings)
        if (m.code == end.status)
            return {m.status, with_output(std::string(m.text))};
    return {{5, 3, 0}, with_output(fmt::format("Command died with status {}: \"{}\"", end.status, command))};
}

Environment exported_environment(const conf::Settings& settings) {
    Environment out;
    bool path = false;
    for (std::string_view item : bytes::split_outside_braces(settings[param::export_environment], ", \t\r\n")) {
        if (item.starts_with('{') && item.ends_with('}'))
            item = bytes::trim(item.substr(1, item.size() - 2));
        auto [name, value] = bytes::cut(item, '=');
        std::string key(bytes::trim(name));
        const char* found = value ? nullptr : ::getenv(key.c_str());
        if (value)
            out.emplace_back(key, std::string(bytes::trim(*value)));
        else if (found)
            out.emplace_back(key, found);
        path = path || (key == "PATH" && (value || found));
    }
    if (!path)
        out.emplace_back("PATH", path_default);
    return out;
}

std::string filtered_text(std::string_view text, std::string_view allowed) {
    std::string out(text);
    for (char& c : out)
        if (allowed.find(c) == allowed.npos)
            c = '_';
    return out;
}
}
