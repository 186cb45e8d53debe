// postfix set-permissions: owners and rights of the queue's directories and of the set-gid programs, as an installation leaves them.
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include "actions.h"
#include "conf/params/commands.h"
#include "log/log.h"
#include "queue_tree.h"
#include "set_gid.h"

namespace postfix {
std::vector<std::string> set_gid_programs(const conf::Settings& settings) {
    std::vector<std::string> paths;
    for (const char* name : {"postdrop", "postqueue", "postlog"}) paths.push_back(settings[param::command_directory] + "/" + name);
    return paths;
}

std::vector<std::string> set_gid_problems(const conf::Settings& settings) {
    std::vector<std::string> problems;
    group* g = getgrnam(settings[param::setgid_group].c_str());
    for (const std::string& path : set_gid_programs(settings)) {
        struct stat st{};
        if (!g || stat(path.c_str(), &st) != 0) continue;
        if (st.st_gid != g->gr_gid) problems.push_back("not owned by group " + settings[param::setgid_group] + ": " + path);
        if (!(st.st_mode & S_ISGID) || (st.st_mode & 0111) != 0111) problems.push_back("not set-gid or not owner+group+world executable: " + path);
    }
    return problems;
}

namespace {
Result<void> make_set_gid(const conf::Settings& settings) {
    group* g = getgrnam(settings[param::setgid_group].c_str());
    if (!g) return permanent("setgid_group: there is no group " + settings[param::setgid_group]);
    for (const std::string& path : set_gid_programs(settings)) {
        if (access(path.c_str(), F_OK) != 0) continue;
        if (chown(path.c_str(), 0, g->gr_gid) != 0) return system_error("chown " + path, errno);
        if (chmod(path.c_str(), 02755) != 0) return system_error("chmod " + path, errno);
    }
    return {};
}
}

// Arguments are name=value: they change main.cf first (mail_owner, setgid_group …).
int set_permissions(const System& s) {
    auto fail = [](const std::string& text) { maillog::write(maillog::Level::fatal, text); return 1; };
    conf::Settings settings = s.settings;
    if (!s.arguments.empty()) {
        std::vector<std::string> edit{settings[param::command_directory] + "/postconf", "-c", s.directory, "-e"};
        edit.insert(edit.end(), s.arguments.begin(), s.arguments.end());
        if (run_program(edit) != 0) return fail("set-permissions: main.cf could not be changed");
        Result<conf::Settings> again = conf::Settings::load(s.directory);
        if (!again) return fail(again.error().reason);
        settings = std::move(*again);
    }
    Result<void> r = make_places(settings, true);
    if (r) r = make_set_gid(settings);
    return r ? 0 : fail(r.error().reason);
}
}
