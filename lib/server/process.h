// What a daemon's process does once, before it serves: arguments, settings, rights, jail, limits. For server.cc.
#pragma once
#include <sys/types.h>
#include <optional>
#include <string>
#include <vector>
#include "base/error.h"
#include "conf/rights.h"
#include "conf/settings.h"

namespace server {
// Everything that was said on the command line.
struct Arguments {
    bool stand_alone = false, drop_rights = false, jail = false, debug = false;
    bool successor = false;     // another generation serves meanwhile
    std::string service, type;  // "smtp", "inet"
    int sockets = 0, slot = 0, verbose = 0;
    std::optional<int> maxproc;  // absent for "-"
    conf::Overrides overrides;
    std::vector<std::string> rest;
    std::string directory;  // stand-alone: the configuration directory
};
Result<Arguments> parse_arguments(int argc, char** argv);

// The snapshot at snapshot_fd; stand-alone: main.cf of the directory, MAIL_CONFIG or the default one.
Result<conf::Settings> read_settings(const Arguments& arguments, const std::string& process_name);

// Goes on as that user, without a way back.
Result<void> drop_rights(const conf::Identity& owner);
// Makes queue_directory the root. It must be the working directory already.
Result<void> enter_jail(const std::string& queue_directory);
// Raises the soft descriptor limit (as root the hard one too) towards `wanted`, and returns what it is then.
std::size_t raise_descriptor_limit(std::size_t wanted);
// The environment as import_environment has it: the names listed (name, or name=value to set), nothing else.
void import_environment(const std::string& list);
// debugger_command for -D: started beside this process.
void start_debugger(const conf::Settings& settings);
}
