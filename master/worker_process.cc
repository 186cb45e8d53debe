#include "worker_process.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <cerrno>
#include "conf/params/commands.h"
#include "server/worker_protocol.h"

extern char** environ;

namespace master {
namespace worker = server::worker;

std::string program_path(const Configuration& configuration, const conf::MasterEntry& entry) {
    if (entry.command.starts_with('/'))
        return entry.command;
    return configuration.settings[param::daemon_directory] + "/" + entry.command;
}

namespace {
std::vector<std::string> arguments(const SpawnRequest& r) {
    const conf::MasterEntry& e = r.entry;
    std::vector<std::string> a{e.command.substr(e.command.rfind('/') + 1),
                               "-n",
                               e.name,
                               "-t",
                               e.type,
                               "-s",
                               std::to_string(r.endpoints.size()),
                               "-m",
                               e.maxproc() ? std::to_string(*e.maxproc()) : "-",
                               "-w",
                               std::to_string(r.slot)};
    if (e.unprivileged())
        a.emplace_back("-u");
    if (e.chrooted(r.configuration.settings[param::compatibility_level]))
        a.emplace_back("-c");
    if (r.successor)
        a.emplace_back("-g");
    a.emplace_back(worker::master_mark);
    for (int i = 0; i < r.verbose; ++i)
        a.emplace_back("-v");
    if (r.debug)
        a.emplace_back("-D");
    for (std::string& s : e.argv())
        a.push_back(std::move(s));
    return a;
}

struct Actions {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    Actions() {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
    }
    ~Actions() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
};
}

Result<pid_t> spawn_worker(const SpawnRequest& r) {
    std::vector<int> sources{r.channel, r.configuration.snapshot.get(), r.board, r.flow, r.programs};
    for (const std::shared_ptr<Endpoint>& e : r.endpoints)
        sources.push_back(e->fd.get());
    // Copies above the target numbers first: no dup2 then overwrites what a later one needs.
    int above = worker::channel_fd + static_cast<int>(sources.size());
    std::vector<UniqueFd> copies;
    Actions a;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        copies.emplace_back(fcntl(sources[i], F_DUPFD_CLOEXEC, above));
        if (!copies.back())
            return system_error("dup", errno);
        posix_spawn_file_actions_adddup2(&a.actions, copies.back().get(), worker::channel_fd + static_cast<int>(i));
    }
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&a.attributes, &none);
    posix_spawnattr_setsigdefault(&a.attributes, &all);
    posix_spawnattr_setflags(&a.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::vector<std::string> args = arguments(r);
    std::vector<char*> argv;
    for (std::string& s : args)
        argv.push_back(s.data());
    argv.push_back(nullptr);
    std::string path = program_path(r.configuration, r.entry);
    pid_t pid = 0;
    if (int err = posix_spawn(&pid, path.c_str(), &a.actions, &a.attributes, argv.data(), environ))
        return system_error(path, err);
    return pid;
}
}
