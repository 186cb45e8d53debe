// What `postfix ACTION` does, for one mail system. Each returns the exit status; what users' scripts look for is logged
// and shown as "postfix/postfix-script: …".
#pragma once
#include <string>
#include <vector>
#include "conf/settings.h"

namespace postfix {
struct System {
    std::string directory;  // of main.cf
    conf::Settings settings;
    int verbose = 0;
    bool debug = false;
    std::vector<std::string> arguments;  // behind the action: name=value for set-permissions
};
// Absent: no such action.
using Action = int (*)(const System&);
Action find_action(const std::string& name);

int check(const System&);
int start(const System&);
int start_fg(const System&);
int stop(const System&);
int abort(const System&);
int flush(const System&);
int reload(const System&);
int status(const System&);
int set_permissions(const System&);
int upgrade_configuration(const System&);
int logrotate(const System&);
int quick_start(const System&);
int quick_stop(const System&);

int tls_command(const System&);     // tls.cc
int create_missing(const System&);  // for post-install

// Runs or becomes a program; its exit status, or 1.
int run_program(std::vector<std::string> args, bool become = false);
// The running master's process id, or 0.
pid_t running_master(const System&);
}
