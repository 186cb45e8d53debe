// postmulti: lists the mail systems of this host and runs commands for all or some of them: the primary one, in the
// default directory, and those that its multi_instance_directories names. See postmulti(1). Making and removing them
// (-e) is not built.
//
// When things fail: a fatal line and status 1; a command that fails for one mail system is run for the others all the
// same.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "log/log.h"
#include "server/maillog.h"

namespace {
struct Options {
    char mode = 0;  // l, p, x
    std::string instance, group;
    bool reverse = false, json = false;
    int verbose = 0;
};

struct Instance {
    conf::Settings settings;
    bool enabled;
    std::string shown(const conf::Text& parameter) const {
        return settings[parameter].empty() ? "-" : settings[parameter];
    }
};

Options parse(int argc, char** argv) {
    Options o;
    int modes = 0, selections = 0;
    for (int option; (option = getopt(argc, argv, "+ag:i:jlpRxve:G:I:")) >= 0;) {
        switch (option) {
        case 'a': ++selections; break;
        case 'g':
            o.group = optarg;
            ++selections;
            break;
        case 'i':
            o.instance = optarg;
            ++selections;
            break;
        case 'j': o.json = true; break;
        case 'l':
        case 'p':
        case 'x':
            o.mode = static_cast<char>(option);
            ++modes;
            break;
        case 'R': o.reverse = true; break;
        case 'v': ++o.verbose; break;
        case 'e':
        case 'G':
        case 'I':
            maillog::fatal("-{}: making and changing mail systems is not built: edit multi_instance_directories",
                           static_cast<char>(option));
        default:
            maillog::fatal("usage: {} -l [-j] | -p postfix-command... | -x unix-command... [-aRv] [-g group] [-i name]",
                           argv[0]);
        }
    }
    if (modes != 1)
        maillog::fatal("Specify exactly one of '-e', '-l', '-p', '-x'");
    if (selections > 1)
        maillog::fatal("Specify only one of '-a', '-g', '-i'");
    if (o.json && o.mode != 'l')
        maillog::fatal("specify -j only with -l");
    if (o.reverse && o.mode == 'p')
        maillog::fatal("The '-p' option does not allow '-R'");
    return o;
}

conf::Settings load(const std::string& directory) {
    Result<conf::Settings> settings = conf::Settings::load(directory, {{"process_name", "postmulti"}});
    if (!settings)
        maillog::fatal("{}", settings.error().reason);
    return std::move(*settings);
}

// The primary one first, in the order written. Alone it counts as enabled.
std::vector<Instance> instances_of(const conf::Settings& primary, const Options& o) {
    std::vector<Instance> all;
    auto directories = bytes::split(primary[param::multi_instance_directories], ", \t\r\n");
    all.push_back({primary, directories.empty() || primary[param::multi_instance_enable]});
    for (std::string_view directory : directories) {
        conf::Settings own = load(std::string(directory));
        const bool enabled = own[param::multi_instance_enable];
        all.push_back({std::move(own), enabled});
    }
    std::erase_if(all, [&](const Instance& i) {
        if (!o.group.empty())
            return i.settings[param::multi_instance_group] != o.group;
        if (o.instance == "-")
            return i.settings.directory() != primary.directory();
        return !o.instance.empty() && i.settings[param::multi_instance_name] != o.instance &&
               i.settings.directory() != o.instance;
    });
    if (o.reverse)
        std::reverse(all.begin(), all.end());
    return all;
}

void list(const std::vector<Instance>& instances, bool json) {
    for (const Instance& i : instances) {
        const std::string name = i.shown(param::multi_instance_name), group = i.shown(param::multi_instance_group),
                          enabled = i.enabled ? "y" : "n";
        if (json) {
            nlohmann::ordered_json object{
                {"name", name}, {"group", group}, {"enabled", enabled}, {"config_directory", i.settings.directory()}};
            fmt::print("{}\n", object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
        } else {
            fmt::print("{:<15} {:<15} {:<9} {}\n", name, group, enabled, i.settings.directory());
        }
    }
}

void export_settings(const Instance& i) {
    const conf::Settings& s = i.settings;
    std::string path = s[param::command_directory] + ":" +
                       (std::getenv("PATH") ? std::getenv("PATH") : "/usr/sbin:/usr/bin:/sbin:/bin");
    setenv("PATH", path.c_str(), 1);
    setenv("MAIL_CONFIG", s.directory().c_str(), 1);
    for (const conf::Text* p :
         {&param::daemon_directory, &param::command_directory, &param::config_directory, &param::queue_directory,
          &param::data_directory, &param::multi_instance_name, &param::multi_instance_group})
        setenv(std::string(p->name).c_str(), s[*p].c_str(), 1);
    setenv("multi_instance_enable", i.enabled ? "yes" : "no", 1);
}

// true: it ended with status 0.
bool run(const Instance& instance, std::vector<std::string> command) {
    std::fflush(nullptr);
    pid_t child = fork();
    if (child < 0)
        maillog::fatal("fork: {}", errno_text(errno));
    if (child == 0) {
        export_settings(instance);
        std::vector<char*> argv;
        for (std::string& word : command)
            argv.push_back(word.data());
        argv.push_back(nullptr);
        execvp(argv[0], argv.data());
        maillog::write(maillog::Level::fatal, fmt::format("execvp {}: {}", command[0], errno_text(errno)));
        _exit(1);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool listed(const std::string& names, const std::string& name) {
    auto words = bytes::split(names, ", \t\r\n");
    return std::find(words.begin(), words.end(), name) != words.end();
}

// What postfix is to do for one mail system: those that are not enabled are only checked, or left alone.
std::vector<std::string> postfix_command(const conf::Settings& primary, const Instance& i,
                                         std::vector<std::string> command, int verbose) {
    if (!i.enabled) {
        if (listed(primary[param::postmulti_stop_commands], command[0]) ||
            listed(primary[param::postmulti_control_commands], command[0]))
            return {};
        if (listed(primary[param::postmulti_start_commands], command[0]))
            command = {"check"};
    }
    std::vector<std::string> whole{i.settings[param::command_directory] + "/postfix", "-c", i.settings.directory()};
    for (int n = 0; n < verbose; ++n)
        whole.emplace_back("-v");
    whole.insert(whole.end(), command.begin(), command.end());
    return whole;
}
}

int main(int argc, char** argv) {
    maillog::to_stderr("postmulti");
    const char* config = std::getenv("MAIL_CONFIG");
    if (config && config != param::config_directory.fallback)
        maillog::fatal("MAIL_CONFIG is {}: only the default mail system, {}, can be meant here", config,
                       param::config_directory.fallback);
    Options o = parse(argc, argv);
    conf::Settings primary = load(std::string(param::config_directory.fallback));
    server::open_maillog(primary, "postmulti", server::Speaker::command);
    std::vector<std::string> command(argv + optind, argv + argc);
    if (o.mode == 'l' && !command.empty())
        maillog::fatal("-l: no command is expected");
    if (o.mode != 'l' && command.empty())
        maillog::fatal("-{}: a command is expected", o.mode);
    std::vector<Instance> instances = instances_of(primary, o);
    if (instances.empty() && !o.instance.empty())
        maillog::error("No matching instances");
    if (o.mode == 'l') {
        list(instances, o.json);
        return 0;
    }
    if (o.mode == 'p' && listed(primary[param::postmulti_stop_commands], command[0]))
        std::reverse(instances.begin(), instances.end());
    bool good = true;
    for (const Instance& i : instances) {
        std::vector<std::string> own = o.mode == 'p' ? postfix_command(primary, i, command, o.verbose) : command;
        if (!own.empty())
            good &= run(i, own);
    }
    return good ? 0 : 1;
}
