#include "server/process.h"
#include <grp.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/master_cf.h"
#include "conf/params/commands.h"
#include "log/log.h"
#include "server/worker_protocol.h"

extern char** environ;

namespace server {
namespace {
Result<void> take_master_options(Arguments& a, const std::vector<std::string>& args, std::size_t& at) {
    for (; at < args.size(); ++at) {
        const std::string& option = args[at];
        if (option == worker::master_mark) {
            ++at;
            return {};
        }
        if (option == "-u") {
            a.drop_rights = true;
            continue;
        }
        if (option == "-c") {
            a.jail = true;
            continue;
        }
        if (option == "-g") {
            a.successor = true;
            continue;
        }
        if (option.size() != 2 || option[0] != '-' || at + 1 >= args.size())
            break;
        const std::string& value = args[++at];
        std::optional<std::int64_t> number = bytes::to_int(value);
        switch (option[1]) {
        case 'n': a.service = value; continue;
        case 't': a.type = value; continue;
        case 's': a.sockets = static_cast<int>(number.value_or(0)); continue;
        case 'w': a.slot = static_cast<int>(number.value_or(0)); continue;
        case 'm':
            if (number)
                a.maxproc = static_cast<int>(*number);
            continue;
        default: break;
        }
        break;
    }
    return permanent("this program is started by the mail system's master; by hand only with -S");
}

bool take_stand_alone(Arguments& a, std::vector<std::string>& args) {
    auto at = std::find(args.begin(), args.end(), "-S");
    if (at == args.end())
        return false;
    args.erase(at);
    a.stand_alone = true;
    a.drop_rights = std::erase(args, "-u") > 0;  // Postfix's postqueue: "showq -u -S"
    for (auto c = args.begin(); c + 1 < args.end(); ++c) {
        if (*c != "-c" && *c != "-n")
            continue;
        (*c == "-c" ? a.directory : a.service) = c[1];
        c = args.erase(c, c + 2);
        if (c == args.end() || args.empty())
            break;
        --c;
    }
    return true;
}
}

Result<Arguments> parse_arguments(int argc, char** argv) {
    Arguments a;
    std::vector<std::string> args(argv + (argc > 0 ? 1 : 0), argv + argc);
    std::size_t at = 0;
    struct stat st {};
    bool channel = fstat(worker::channel_fd, &st) == 0 && S_ISSOCK(st.st_mode);
    if (std::find(args.begin(), args.end(), worker::master_mark) != args.end() || !take_stand_alone(a, args)) {
        TRY(take_master_options(a, args, at));
        if (!channel)
            return permanent("this program is started by the mail system's master; by hand only with -S");
    }
    TRY_ASSIGN(conf::ServiceOptions options,
               conf::service_options({args.begin() + static_cast<std::ptrdiff_t>(at), args.end()}));
    a.overrides = std::move(options.overrides);
    a.verbose = options.verbose;
    a.debug = options.debug;
    a.rest = std::move(options.arguments);
    return a;
}

Result<conf::Settings> read_settings(const Arguments& a, const std::string& process_name) {
    conf::Overrides overrides{{"process_name", process_name}, {"service_name", a.service}};
    overrides.insert(overrides.end(), a.overrides.begin(), a.overrides.end());
    if (a.stand_alone) {
        const char* config = std::getenv("MAIL_CONFIG");
        return conf::Settings::load(!a.directory.empty() ? a.directory
                                    : config             ? config
                                                         : std::string(param::config_directory.fallback),
                                    overrides);
    }
    std::string text;  // several workers share the descriptor's offset: pread
    char buffer[65536];
    for (;;) {
        ssize_t n = pread(worker::snapshot_fd, buffer, sizeof buffer, static_cast<off_t>(text.size()));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return system_error("read the settings", errno);
        if (n == 0)
            break;
        text.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(worker::snapshot_fd);
    return conf::Settings::from_snapshot(text, overrides);
}

Result<void> drop_rights(const conf::Identity& owner) {
    if (geteuid() != 0)
        return {};
    if (setgroups(owner.groups.size(), owner.groups.data()) != 0)
        return system_error("setgroups", errno);
    if (setgid(owner.gid) != 0)
        return system_error("setgid", errno);
    if (setuid(owner.uid) != 0)
        return system_error("setuid", errno);
    if (setuid(0) == 0)
        return permanent("rights could not be dropped");
    return {};
}

Result<void> enter_jail(const std::string& queue_directory) {
    if (chroot(queue_directory.c_str()) != 0)
        return system_error("chroot " + queue_directory, errno);
    if (chdir("/") != 0)
        return system_error("chdir / in the jail", errno);
    return {};
}

std::size_t raise_descriptor_limit(std::size_t wanted) {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 256;
    if (limit.rlim_cur < wanted) {
        rlimit more = limit;
        more.rlim_cur = wanted;
        if (more.rlim_max != RLIM_INFINITY && more.rlim_max < wanted)
            more.rlim_max = wanted;
        if (setrlimit(RLIMIT_NOFILE, &more) != 0) {  // not root, or above the kernel's own limit
            more = limit;
            more.rlim_cur = more.rlim_max != RLIM_INFINITY && more.rlim_max < wanted ? more.rlim_max : wanted;
            (void)setrlimit(RLIMIT_NOFILE, &more);
        }
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur == RLIM_INFINITY ? wanted : static_cast<std::size_t>(limit.rlim_cur);
}

void import_environment(const std::string& list) {
    std::vector<std::pair<std::string, std::string>> kept;
    for (std::string_view item : bytes::split_outside_braces(list, ", \t\r\n")) {
        if (item.size() > 1 && item.front() == '{')
            item = bytes::trim(item.substr(1, item.size() - 2));
        auto [name, value] = bytes::cut(item, '=');
        std::string key(bytes::trim(name));
        if (value)
            kept.emplace_back(key, std::string(bytes::trim(*value)));
        else if (const char* now = std::getenv(key.c_str()))
            kept.emplace_back(key, now);
    }
    const char* path = std::getenv("PATH");
    std::string path_kept = path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    clearenv();
    setenv("PATH", path_kept.c_str(), 1);
    for (auto& [name, value] : kept)
        setenv(name.c_str(), value.c_str(), 1);
}

void start_debugger(const conf::Settings& settings) {
    std::string command = settings[param::debugger_command];
    if (command.empty())
        return;
    const char* argv[] = {"/bin/sh", "-c", command.c_str(), nullptr};
    pid_t child = 0;
    if (int err = posix_spawn(&child, argv[0], nullptr, nullptr, const_cast<char**>(argv), environ))
        maillog::warning("debugger_command: {}", errno_text(err));
    else
        maillog::info("started the debugger_command as process {}", child);
}
}
