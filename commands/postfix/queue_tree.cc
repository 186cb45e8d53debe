#include "queue_tree.h"
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include "base/fd.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/local.h"
#include "conf/rights.h"
#include "server/command.h"

namespace postfix {
std::vector<Place> places(const conf::Settings& s) {
    const std::string& q = s[param::queue_directory];
    std::vector<Place> all{{q, 0755, false, false}};
    for (const char* name :
         {"active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"})
        all.push_back({q + "/" + name, 0700, true, false});
    all.push_back({q + "/maildrop", 01730, true, true});
    all.push_back({q + "/public", 0710, true, true});
    all.push_back({q + "/" + s[param::process_id_directory], 0755, false, false});
    all.push_back({s[param::data_directory], 0700, true, false});
    return all;
}

namespace {
struct Ids {
    uid_t owner;
    gid_t group;
};
// Three accounts that must keep apart: mail_owner's daemons, submission by setgid_group, and what runs for nobody in
// particular as default_privs. None is root.
Result<Ids> ids(const conf::Settings& s) {
    TRY_ASSIGN(const conf::Identity owner, conf::mail_owner(s));
    const std::string &submitters = s[param::setgid_group], &strangers = s[param::default_privs];
    const group* g = getgrnam(submitters.c_str());
    if (!g)
        return permanent("setgid_group: there is no group " + submitters);
    if (g->gr_gid == 0)
        return permanent("setgid_group: " + submitters + " is root's group");
    const gid_t submission = g->gr_gid;
    if (submission == owner.gid)
        return permanent("setgid_group: " + submitters +
                         " is mail_owner's group too: who submits mail could change it");
    const passwd* other = getpwnam(strangers.c_str());
    if (!other)
        return permanent("default_privs: there is no user " + strangers);
    if (other->pw_uid == 0 || other->pw_gid == 0)
        return permanent("default_privs: " + strangers + " has root's rights");
    if (other->pw_uid == owner.uid)
        return permanent("default_privs: " + strangers +
                         " is mail_owner too: commands of strangers could change the queue");
    if (other->pw_gid == submission)
        return permanent("default_privs: " + strangers + "'s group is setgid_group too");
    return Ids{owner.uid, submission};
}

// By descriptor: where the directory above is not root's (yet), a name may be another file's from one call to the next.
// The queue's and the data directory themselves may be links of the administrator's.
Result<void> put_right(const Place& p, const Ids& id, bool top) {
    UniqueFd fd(::open(p.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | (top ? 0 : O_NOFOLLOW)));
    if (!fd)
        return system_error("open " + p.path, errno);
    if (fchown(fd.get(), p.owner_is_mail_owner ? id.owner : 0, p.group_is_setgid_group ? id.group : 0) != 0)
        return system_error("chown " + p.path, errno);
    if (fchmod(fd.get(), p.mode) != 0)
        return system_error("chmod " + p.path, errno);
    return {};
}
}

Result<void> make_places(const conf::Settings& s, bool repair) {
    TRY_ASSIGN(Ids id, ids(s));
    TRY(server::queue_directory_there(s));
    mode_t before = umask(022);
    Result<void> result;
    for (const Place& p : places(s)) {
        bool made = mkdir(p.path.c_str(), p.mode) == 0;
        if (!made && errno != EEXIST) {
            result = system_error("mkdir " + p.path, errno);
            break;
        }
        const bool top = p.path == s[param::queue_directory] || p.path == s[param::data_directory];
        if (made || repair)
            if (result = put_right(p, id, top); !result)
                break;
    }
    umask(before);
    return result;
}

std::vector<std::string> place_problems(const conf::Settings& s) {
    Result<Ids> id = ids(s);
    if (!id)
        return {id.error().reason};
    std::vector<std::string> problems;
    for (const Place& p : places(s)) {
        struct stat st {};
        if (stat(p.path.c_str(), &st) != 0)
            continue;  // start makes it
        if (!S_ISDIR(st.st_mode)) {
            problems.push_back("not a directory: " + p.path);
            continue;
        }
        if (st.st_uid != (p.owner_is_mail_owner ? id->owner : 0))
            problems.push_back("not owned by " + (p.owner_is_mail_owner ? s[param::mail_owner] : "root") + ": " +
                               p.path);
        if (p.group_is_setgid_group && st.st_gid != id->group)
            problems.push_back("not owned by group " + s[param::setgid_group] + ": " + p.path);
        if ((st.st_mode & 022) & ~p.mode)
            problems.push_back("group or other writable: " + p.path);
    }
    return problems;
}
}
