// postfix: starts, stops and looks after the mail system. See postfix(1).
#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>
#include "actions.h"
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "log/log.h"
#include "server/command.h"
#include "server/maillog.h"

namespace {
constexpr const char* usage = "Usage: postfix start (or stop, reload, abort, flush, check, status, set-permissions, "
                              "upgrade-configuration, logrotate, tls)";

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    for (std::string_view word : bytes::split(text, " \t\r\n"))
        words.emplace_back(word);
    return words;
}
}

int main(int argc, char** argv) {
    maillog::to_stderr("postfix");
    umask(022);
    const char* config = std::getenv("MAIL_CONFIG");
    std::string directory = config ? config : std::string(param::config_directory.fallback);
    int verbose = 0;
    bool debug = false, one = config && *config;  // one mail system was named
    for (int option; (option = getopt(argc, argv, "+c:Dv")) >= 0;) {
        switch (option) {
        case 'c':
            directory = optarg;
            one = true;
            break;
        case 'D': debug = true; break;
        case 'v': ++verbose; break;
        default: maillog::fatal("usage: {} [-c config_dir] [-Dv] command", argv[0]);
        }
    }
    if (geteuid() != 0) {
        maillog::error("to submit mail, use the Postfix sendmail command");
        maillog::fatal("the postfix command is reserved for the superuser");
    }
    if (optind >= argc)
        maillog::fatal("usage: {} [-c config_dir] [-Dv] command", argv[0]);
    if (directory.empty() || directory[0] != '/')
        maillog::fatal("-c {}: an absolute path is expected", directory);
    setenv("MAIL_CONFIG", directory.c_str(), 1);
    // What is odd in main.cf is said by those actions that check it.
    Result<conf::Settings> settings = conf::Settings::load(directory, {{"process_name", "postfix-script"}});
    if (!settings)
        maillog::fatal("{}", settings.error().reason);
    std::string name = argv[optind];
    // postfix-wrapper(5): without -c it is for all mail systems of this host, each of which postmulti names with -c.
    if (std::vector<std::string> wrapper = words_of((*settings)[param::multi_instance_wrapper]);
        !one && !wrapper.empty()) {
        unsetenv("MAIL_CONFIG");
        wrapper.insert(wrapper.end(), argv + optind, argv + argc);
        return postfix::run_program(wrapper, true);
    }
    const std::string speaker = name == "tls" ? "postfix-tls-script" : "postfix-script";
    server::open_maillog(*settings, speaker, server::Speaker::quiet_command);
    maillog::to_stderr((*settings)[param::syslog_name] + "/" + speaker);
    postfix::Action action = postfix::find_action(name);
    if (!action)
        maillog::fatal("unknown command: '{}'. {}", name, usage);
    if (Result<void> there = server::queue_directory_there(*settings); !there)
        maillog::fatal("{}", there.error().reason);
    return action({directory, std::move(*settings), verbose, debug, {argv + optind + 1, argv + argc}});
}
