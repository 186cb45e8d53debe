// sendmail, also as mailq and newaliases: the face that other programs know. Submits mail through postdrop, or runs the
// program that does what was asked for (postqueue, postalias, smtpd, postfix). Never set-uid.
//
// When things fail: "sendmail: fatal: …" on stderr and in the log, and exit status 75 (EX_TEMPFAIL) whatever it was, as
// Postfix's does: callers try again or tell the user. Options that Sendmail has and we need not are accepted silently.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/local.h"
#include "log/log.h"
#include "options.h"
#include "server/command.h"
#include "server/maillog.h"
#include "submit.h"

namespace sendmail {
namespace {
constexpr int exit_temporary = 75;

[[noreturn]] void give_up(std::string_view why) {
    maillog::write(maillog::Level::fatal, why);
    std::fflush(nullptr);
    std::_Exit(exit_temporary);
}

// -C and MAIL_CONFIG name a directory, -C also the main.cf in it.
std::string configuration_directory(const Options& o) {
    std::string directory = o.configuration;
    if (directory.empty()) {
        const char* from_environment = std::getenv("MAIL_CONFIG");
        return from_environment && *from_environment ? from_environment : std::string(param::config_directory.fallback);
    }
    struct stat st {};
    if (::stat(directory.c_str(), &st) == 0 && S_ISREG(st.st_mode)) {
        const std::size_t slash = directory.rfind('/');
        directory = slash == std::string::npos ? "." : slash == 0 ? "/" : directory.substr(0, slash);
    }
    return directory;
}

[[noreturn]] void run(const std::string& program, const std::vector<std::string>& arguments) {
    std::vector<char*> pointers;
    std::string name = program.substr(program.rfind('/') + 1);
    pointers.push_back(name.data());
    for (const std::string& argument : arguments)
        pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    ::execv(program.c_str(), pointers.data());
    give_up("execv " + program + ": " + errno_text(errno));
}

[[noreturn]] void make_aliases(const Options& o, const conf::Settings& s) {
    std::vector<std::string> arguments;
    for (int i = 0; i < o.verbose; ++i)
        arguments.emplace_back("-v");
    const std::string& databases = s[param::alias_database];
    if (!o.alias_database.empty())
        arguments.push_back(o.alias_database);
    else
        for (std::string_view name : bytes::split_outside_braces(databases, ", \t\r\n"))
            arguments.emplace_back(name);
    if (arguments.size() == static_cast<std::size_t>(o.verbose))
        std::_Exit(0);
    run(s[param::command_directory] + "/postalias", arguments);
}

// As Postfix's: the exit status says nothing of what became of it, so that a start script may ask for a system that
// runs already.
[[noreturn]] void start_daemon(const std::string& postfix, const conf::Settings& s) {
    const pid_t child = ::fork();
    if (child < 0)
        give_up("fork: " + errno_text(errno));
    if (child == 0)
        run(postfix, {"-c", s.directory(), "start"});
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {}
    std::_Exit(0);
}

// The other programs that stand behind an option; returns for submission only.
void run_mode(const Options& o, const conf::Settings& s) {
    const std::string& commands = s[param::command_directory];
    switch (o.mode) {
    case Mode::list_queue: run(commands + "/postqueue", {"-p"});
    case Mode::flush_queue: run(commands + "/postqueue", {"-f"});
    case Mode::flush_site: run(commands + "/postqueue", {"-s", o.site});
    case Mode::deliver_one: run(commands + "/postqueue", {"-i", o.queue_id});
    case Mode::make_aliases: make_aliases(o, s);
    case Mode::smtp_server: run(s[param::daemon_directory] + "/smtpd", {"-S"});
    case Mode::start_daemon: start_daemon(commands + "/postfix", s);
    case Mode::start_foreground: run(commands + "/postfix", {"-c", s.directory(), "start-fg"});
    case Mode::ignored: std::_Exit(0);
    case Mode::submit:
    case Mode::verify: return;
    }
}
}
}

int main(int argc, char** argv) {
    using namespace sendmail;
    for (int fd = 0; fd < 3; ++fd)  // a closed standard descriptor would become a file of ours
        if (::fcntl(fd, F_GETFD) < 0)
            std::_Exit(exit_temporary);
    ::signal(SIGPIPE, SIG_IGN);
    maillog::to_stderr("sendmail");
    const auto options = parse_options(argc, argv);
    if (!options)
        give_up(options.error().reason);
    const std::string directory = configuration_directory(*options);
    std::vector<std::string> warnings;
    const auto settings = conf::Settings::load(directory, {}, &warnings);
    if (!settings)
        give_up(settings.error().reason);
    for (const std::string& warning : warnings)
        maillog::warning("{}", warning);
    ::setenv("MAIL_CONFIG", directory.c_str(), 1);
    server::open_maillog(*settings, "sendmail", server::Speaker::command);
    for (const std::string& warning : options->warnings)
        maillog::warning("{}", warning);
    if (options->verbose > 1)
        maillog::set_verbose(options->verbose - 1);
    if (const auto there = server::queue_directory_there(*settings); !there)
        give_up(there.error().reason);
    run_mode(*options, *settings);
    if (const auto done = submit(*options, *settings); !done)
        give_up(done.error().reason);
    return 0;
}
