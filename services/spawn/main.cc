// spawn: runs a command for each connection, with the connection as its standard input, output and error. The command
// runs with the rights that user= names, and at most as long as SERVICE_time_limit.
//
// When things fail: attributes that make no sense stop the service; a command that cannot be run, fails or takes too
// long is a warning.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <poll.h>
#include <algorithm>
#include "base/fd.h"
#include "conf/params/commands.h"
#include "conf/params/local.h"
#include "delivery/command.h"
#include "log/log.h"
#include "server/server.h"

namespace spawn {
namespace {
delivery::Command command;  // what to run: set before the first session

Result<void> before_jail(const conf::Settings& settings) {
    const std::vector<std::string>& words = server::arguments();
    std::string user;
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string_view word = words[i];
        if (word.starts_with("user="))
            user = word.substr(5);
        else if (word.starts_with("argv=")) {
            command.arguments.emplace_back(word.substr(5));
            for (++i; i < words.size(); ++i) {
                std::string_view argument = words[i];
                bool braced = argument.size() >= 2 && argument.front() == '{' && argument.back() == '}';
                command.arguments.emplace_back(braced ? argument.substr(1, argument.size() - 2) : argument);
            }
        } else
            return permanent("unknown attribute name: " + words[i]);
    }
    if (user.empty())
        return permanent("missing user= command-line attribute");
    if (command.arguments.empty() || command.arguments[0].empty())
        return permanent("missing argv= command-line attribute");
    TRY_ASSIGN(command.rights, delivery::parse_user_attribute(user, settings[param::mail_owner]));
    command.environment = delivery::exported_environment(settings);
    command.time_limit = settings.of(param::transport_time_limit, server::service_name());
    command.patience = delivery::ForkPatience(settings);
    command.speaker = "spawn: fatal";
    return {};
}

[[noreturn]] void become_command(int connection) {
    for (int number : {SIGPIPE, SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGALRM})
        ::signal(number, SIG_DFL);
    ::setsid();
    (void)set_nonblocking(connection, false);
    for (int to : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::dup2(connection, to) < 0)
            ::_exit(71);
    close_from(STDERR_FILENO + 1);
    delivery::execute(command);
}

void report(int status) {
    if (WIFSIGNALED(status))
        maillog::warning("command {} killed by signal {}", command.arguments[0], WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        maillog::warning("command {} exit status {}", command.arguments[0], WEXITSTATUS(status));
}

void serve(server::Connection& session) {
    pid_t pid = delivery::fork_patiently(command.patience);
    if (pid < 0)
        return maillog::warning("fork: {}", errno_text(errno));
    if (pid == 0)
        become_command(session.stream.fd());
    session.stream.close();  // the command alone holds the connection
    auto until = std::chrono::steady_clock::now() + command.time_limit;
    int status = 0;
    for (int pause_ms = 1;; pause_ms = std::min(pause_ms * 2, 100)) {
        pid_t done = ::waitpid(pid, &status, WNOHANG);
        if (done == pid)
            return report(status);
        if (done < 0 && errno != EINTR)
            return;
        if (std::chrono::steady_clock::now() >= until)
            break;
        ::poll(nullptr, 0, pause_ms);
    }
    maillog::warning("command {} exceeded its time limit of {} s", command.arguments[0], command.time_limit.count());
    delivery::kill_command(pid);
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
}
}
}

int main(int argc, char** argv) {
    return server::run({.name = "spawn",
                        .needs = server::need::commands,
                        .takes_words = true,
                        .privileges = server::Privileges::kept,
                        .sessions = server::Sessions::one,
                        .before_jail = spawn::before_jail,
                        .serve = spawn::serve},
                       argc, argv);
}
