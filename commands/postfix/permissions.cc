// postfix set-permissions: owners and rights of the queue's directories, of the programs and of main.cf and master.cf,
// as an installation leaves them.
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include "actions.h"
#include "conf/params/commands.h"
#include "log/log.h"
#include "queue_tree.h"
#include "permissions.h"

namespace postfix {
namespace {
// Only these: command_directory may be /usr/sbin, where others' programs are. postdrop and postqueue reach maildrop/
// and public/ with setgid_group's rights, postlog reaches postlogd.
constexpr std::array set_gid_programs{"postdrop", "postlog", "postqueue"};
constexpr std::array commands{"postalias", "postcat",   "postconf",  "postfix",        "postkick", "postlock",
                              "postmap",   "postmulti", "postsuper", "posttls-finger", "qshape",   "sendmail"};
constexpr std::array daemons{"anvil",
                             "bounce",
                             "cleanup",
                             "discard",
                             "error",
                             "flush",
                             "lmtp",
                             "local",
                             "master",
                             "mta-sts",
                             "pickup",
                             "pipe",
                             "post-install",
                             "postfix-script",
                             "postfix-tls-script",
                             "postfix-wrapper",
                             "postlogd",
                             "postmulti-script",
                             "qmgr",
                             "showq",
                             "smtp",
                             "smtpd",
                             "spawn",
                             "tlsmgr",
                             "tlsrpt",
                             "trivial-rewrite",
                             "virtual"};
constexpr std::array configuration{"main.cf", "master.cf"};

struct Item {
    std::string path;
    mode_t mode;
    bool set_gid = false;
};

std::vector<Item> set_gid_items(const conf::Settings& s) {
    std::vector<Item> items;
    for (const char* name : set_gid_programs)
        items.push_back({s[param::command_directory] + "/" + name, 02755, true});
    return items;
}

// What set-permissions puts right, directories first.
std::vector<Item> installed(const System& system) {
    const conf::Settings& s = system.settings;
    std::vector<Item> items;
    auto folder = [&](const std::string& directory, const auto& names, mode_t mode) {
        items.push_back({directory, 0755});
        for (const char* name : names)
            items.push_back({directory + "/" + name, mode});
    };
    folder(system.directory, configuration, 0644);
    folder(s[param::command_directory], commands, 0755);
    folder(s[param::daemon_directory], daemons, 0755);
    for (Item& item : set_gid_items(s))
        items.push_back(std::move(item));
    return items;
}

// The directories above path, from the root down, and path itself, that not everybody may enter.
std::vector<std::string> closed_directories(const std::string& path) {
    std::vector<std::string> closed;
    for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
        std::string part = path.substr(0, at);
        struct stat st {};
        if (stat(part.c_str(), &st) == 0 && !(st.st_mode & S_IXOTH))
            closed.push_back(std::move(part));
        if (at == path.npos)
            return closed;
    }
}

Result<void> make_programs_right(const System& system) {
    const group* g = getgrnam(system.settings[param::setgid_group].c_str());
    if (!g)
        return permanent("setgid_group: there is no group " + system.settings[param::setgid_group]);
    const gid_t set_gid_group = g->gr_gid;
    for (const Item& item : installed(system)) {
        struct stat st {};
        if (lstat(item.path.c_str(), &st) != 0 || S_ISLNK(st.st_mode))
            continue;  // lmtp is a link to smtp
        const gid_t owner_group = item.set_gid ? set_gid_group : 0;
        // chown takes the set-gid bit away: never without need from what users run just now.
        if ((st.st_uid != 0 || st.st_gid != owner_group) && lchown(item.path.c_str(), 0, owner_group) != 0)
            return system_error("chown " + item.path, errno);
        if (lstat(item.path.c_str(), &st) == 0 && (st.st_mode & 07777) != item.mode &&
            chmod(item.path.c_str(), item.mode) != 0)
            return system_error("chmod " + item.path, errno);
    }
    return {};
}
}

std::vector<std::string> program_problems(const conf::Settings& settings) {
    std::vector<std::string> problems;
    const group* g = getgrnam(settings[param::setgid_group].c_str());
    for (const Item& item : set_gid_items(settings)) {
        struct stat st {};
        if (!g || stat(item.path.c_str(), &st) != 0)
            continue;
        if (st.st_gid != g->gr_gid)
            problems.push_back("not owned by group " + settings[param::setgid_group] + ": " + item.path);
        if (!(st.st_mode & S_ISGID) || (st.st_mode & 0111) != 0111)
            problems.push_back("not set-gid or not owner+group+world executable: " + item.path);
    }
    for (const std::string& path : closed_directories(settings[param::command_directory]))
        problems.push_back("users cannot run the commands in " + settings[param::command_directory] +
                           ": not world executable: " + path);
    return problems;
}

// Arguments are name=value: they change main.cf first (mail_owner, setgid_group …).
int set_permissions(const System& s) {
    auto fail = [](const std::string& text) {
        maillog::write(maillog::Level::fatal, text);
        return 1;
    };
    conf::Settings settings = s.settings;
    if (!s.arguments.empty()) {
        std::vector<std::string> edit{settings[param::command_directory] + "/postconf", "-c", s.directory, "-e"};
        edit.insert(edit.end(), s.arguments.begin(), s.arguments.end());
        if (run_program(edit) != 0)
            return fail("set-permissions: main.cf could not be changed");
        Result<conf::Settings> again = conf::Settings::load(s.directory);
        if (!again)
            return fail(again.error().reason);
        settings = std::move(*again);
    }
    Result<void> r = make_places(settings, true);
    if (r)
        r = make_programs_right({s.directory, settings, s.verbose, s.debug, {}});
    return r ? 0 : fail(r.error().reason);
}
}
