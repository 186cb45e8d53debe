// postlock: runs a command while it holds the lock of a mailbox, as local does when it delivers there. See postlock(1).
#include <fcntl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>
#include <cerrno>
#include "conf/params/commands.h"
#include "delivery/mailbox_lock.h"
#include "log/log.h"
#include "server/command.h"
#include "server/maillog.h"

namespace {
[[noreturn]] void give_up(const std::string& text) {
    maillog::write(maillog::Level::fatal, text);
    std::_Exit(EX_TEMPFAIL);
}

int run(char** argv) {
    pid_t child = fork();
    if (child < 0)
        give_up("fork: " + errno_text(errno));
    if (child == 0) {
        execvp(argv[0], argv);
        maillog::write(maillog::Level::fatal, std::string("execvp ") + argv[0] + ": " + errno_text(errno));
        _exit(1);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
}

int main(int argc, char** argv) {
    maillog::to_stderr("postlock");
    std::string config;
    const char* style = nullptr;
    for (int option; (option = getopt(argc, argv, "+c:l:v")) >= 0;) {
        switch (option) {
        case 'c': config = optarg; break;
        case 'l': style = optarg; break;
        case 'v': maillog::set_verbose(maillog::verbose() + 1); break;
        default: optind = argc + 1;
        }
        if (optind > argc)
            break;
    }
    if (argc - optind < 2)
        give_up(std::string("usage: ") + argv[0] + " [-c config_dir] [-l lock_style] [-v] folder command...");
    Result<conf::Settings> settings = server::command_settings(config, "postlock");
    if (!settings)
        give_up(settings.error().reason);
    server::open_maillog(*settings, "postlock", server::Speaker::command);
    Result<delivery::LockRules> rules =
        delivery::lock_rules(*settings, style ? style : (*settings)[param::mailbox_delivery_lock]);
    if (!rules)
        give_up(rules.error().reason);
    std::string folder = argv[optind];
    UniqueFd file(::open(folder.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
    if (!file)
        give_up("open file " + folder + ": " + errno_text(errno));
    delivery::DotLock dot;
    if (rules->dotlock)
        if (Result<void> r = dot.take(folder, *rules); !r)
            give_up("open file " + folder + ": " + r.error().reason);
    if (Result<void> r = delivery::lock_file(file.get(), *rules); !r)
        give_up("lock " + folder + ": " + r.error().reason);
    int status = run(argv + optind + 1);
    dot.release();
    return status;
}
