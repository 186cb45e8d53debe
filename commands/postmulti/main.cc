// postmulti: runs a command for the mail system that is installed, as distributions' start scripts call it. See postmulti(1). Posthorn
// manages one mail system here, the default one: "-" or its name. Further ones run with `postfix -c DIR`.
#include <fmt/format.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "log/log.h"
#include "server/command.h"
#include "server/maillog.h"

namespace {
struct Options {
    char mode = 0;                               // l, p, x
    std::string instance, group;
    int verbose = 0;
    bool json = false;                           // with -l
};

Options parse(int argc, char** argv) {
    Options o;
    int modes = 0;
    for (int option; (option = getopt(argc, argv, "+ag:i:jlpRxve:G:I:")) >= 0;) {
        switch (option) {
        case 'a': case 'R': break;               // of one, in whatever order
        case 'g': o.group = optarg; break;
        case 'j': o.json = true; break;
        case 'i': o.instance = optarg; break;
        case 'l': case 'p': case 'x': o.mode = static_cast<char>(option); ++modes; break;
        case 'v': ++o.verbose; break;
        case 'e': case 'G': case 'I': maillog::fatal("-{}: several mail systems under one postmulti are not built: use \"postfix -c DIR\"", static_cast<char>(option));
        default: maillog::fatal("usage: {} -l [-j] | -p postfix-command... | -x unix-command... [-aRv] [-g group] [-i name]", argv[0]);
        }
    }
    if (o.json && o.mode != 'l') maillog::fatal("specify -j only with -l");
    if (modes != 1) maillog::fatal("Specify exactly one of '-e', '-l', '-p', '-x'");
    return o;
}

[[noreturn]] void become(std::vector<std::string> args) {
    std::vector<char*> argv;
    for (std::string& a : args) argv.push_back(a.data());
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    maillog::fatal("execvp {}: {}", args[0], errno_text(errno));
}

void export_settings(const conf::Settings& s) {
    std::string path = s[param::command_directory] + ":" + (std::getenv("PATH") ? std::getenv("PATH") : "/usr/sbin:/usr/bin:/sbin:/bin");
    setenv("PATH", path.c_str(), 1);
    setenv("MAIL_CONFIG", s.directory().c_str(), 1);
    for (const conf::Text* p : {&param::daemon_directory, &param::command_directory, &param::config_directory, &param::queue_directory, &param::data_directory,
                                &param::multi_instance_name, &param::multi_instance_group})
        setenv(std::string(p->name).c_str(), s[*p].c_str(), 1);
    setenv("multi_instance_enable", "yes", 1);
}
}

int main(int argc, char** argv) {
    maillog::to_stderr("postmulti");
    const char* config = std::getenv("MAIL_CONFIG");
    if (config && config != param::config_directory.fallback) maillog::fatal("MAIL_CONFIG is {}: only the default mail system, {}, can be meant here", config, param::config_directory.fallback);
    Options o = parse(argc, argv);
    Result<conf::Settings> settings = conf::Settings::load(std::string(param::config_directory.fallback), {{"process_name", "postmulti"}});
    if (!settings) maillog::fatal("{}", settings.error().reason);
    const conf::Settings& s = *settings;
    server::open_maillog(s, "postmulti", server::Speaker::command);
    if (!s[param::multi_instance_directories].empty()) maillog::warning("multi_instance_directories is set: the mail systems named there are left alone; use \"postfix -c DIR\"");
    const std::string &name = s[param::multi_instance_name], &group = s[param::multi_instance_group];
    bool chosen = o.instance.empty() || o.instance == "-" || o.instance == name || o.instance == s.directory();
    if (!chosen) maillog::fatal("No matching instances");
    if (!o.group.empty() && o.group != group) return 0;
    if (o.mode == 'l' && o.json) {
        nlohmann::ordered_json object{{"name", name.empty() ? "-" : name}, {"group", group.empty() ? "-" : group}, {"enabled", "y"}, {"config_directory", s.directory()}};
        fmt::print("{}\n", object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
        return 0;
    }
    if (o.mode == 'l') {
        fmt::print("{:<15} {:<15} {:<9} {}\n", name.empty() ? "-" : name, group.empty() ? "-" : group, "y", s.directory());
        return 0;
    }
    if (optind >= argc) maillog::fatal("-{}: a command is expected", o.mode);
    std::vector<std::string> command(argv + optind, argv + argc);
    if (o.mode == 'p') {
        std::vector<std::string> postfix{s[param::command_directory] + "/postfix", "-c", s.directory()};
        for (int i = 0; i < o.verbose; ++i) postfix.emplace_back("-v");
        command.insert(command.begin(), postfix.begin(), postfix.end());
    } else {
        export_settings(s);
    }
    become(std::move(command));
}
