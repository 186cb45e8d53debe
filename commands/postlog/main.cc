// postlog: writes lines into the maillog for scripts. See postlog(1). Set-gid, so that it reaches postlogd's socket.
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include "log/log.h"
#include "server/command.h"
#include "server/maillog.h"

namespace {
std::optional<maillog::Level> level_of(std::string_view word) {
    if (word == "info")
        return maillog::Level::info;
    if (word == "warn" || word == "warning")
        return maillog::Level::warning;
    if (word == "error")
        return maillog::Level::error;
    if (word == "fatal")
        return maillog::Level::fatal;
    if (word == "panic")
        return maillog::Level::panic;
    return {};
}
}

int main(int argc, char** argv) {
    server::start_set_gid();
    maillog::to_stderr("postlog");
    std::string config;
    const char* tag = nullptr;
    maillog::Level level = maillog::Level::info;
    for (int option; (option = getopt(argc, argv, "c:ip:t:v")) >= 0;) {
        switch (option) {
        case 'c': config = optarg; break;
        case 'i': break;  // the process id is always there
        case 'p':
            if (std::optional<maillog::Level> l = level_of(optarg))
                level = *l;
            else
                maillog::fatal("-p {}: info, warn, error, fatal or panic is expected", optarg);
            break;
        case 't': tag = optarg; break;
        case 'v': server::be_verbose(); break;
        default: maillog::fatal("usage: postlog [-iv] [-c config_dir] [-p priority] [-t tag] [text...]");
        }
    }
    Result<conf::Settings> settings = server::command_settings(config, "postlog");
    if (!settings)
        maillog::fatal("{}", settings.error().reason);
    server::open_maillog(*settings, "postlog", server::Speaker::quiet_command);
    if (tag)
        maillog::retag(tag);
    maillog::to_stderr(isatty(STDERR_FILENO) ? tag ? tag : "postlog" : "");
    if (optind < argc) {
        std::string text;
        for (int i = optind; i < argc; ++i)
            text += (i > optind ? " " : "") + std::string(argv[i]);
        maillog::write(level, text);
        return 0;
    }
    char line[4096];  // a longer one comes in pieces
    while (std::fgets(line, sizeof line, stdin)) {
        std::string_view text(line);
        if (text.ends_with('\n'))
            text.remove_suffix(1);
        maillog::write(level, text);
    }
    return 0;
}
