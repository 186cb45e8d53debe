#include "conf/rights.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>
#include <cerrno>
#include <optional>
#include "conf/params/commands.h"
#include "conf/settings.h"
#include "log/backlog.h"
#include "log/log.h"

namespace conf {
namespace {
// What the process goes about as, once it was asked: asking for the groups again at each change costs as much as
// changing them.
std::optional<Identity> held;

std::vector<gid_t> groups_now() {
    int count = getgroups(0, nullptr);
    std::vector<gid_t> groups(static_cast<std::size_t>(count > 0 ? count : 0));
    count = getgroups(static_cast<int>(groups.size()), groups.data());
    groups.resize(static_cast<std::size_t>(count > 0 ? count : 0));
    return groups;
}

// By way of root, which alone may choose groups. Only what differs is asked of the kernel.
bool become(const Identity& who) {
    const Identity& from = *held;
    if (from.uid == who.uid && from.gid == who.gid && from.groups == who.groups)
        return true;
    if ((from.uid != 0 && seteuid(0) != 0) ||
        (from.groups != who.groups && setgroups(who.groups.size(), who.groups.data()) != 0) ||
        (from.gid != who.gid && setegid(who.gid) != 0) || (who.uid != 0 && seteuid(who.uid) != 0))
        return false;
    held = who;
    return true;
}
}

Result<Identity> mail_owner(const Settings& settings) {
    const std::string& name = settings[param::mail_owner];
    const passwd* user = getpwnam(name.c_str());
    if (!user)
        return permanent("mail_owner: there is no user " + name);
    if (user->pw_uid == 0)
        return permanent("mail_owner: " + name + " is the superuser");
    if (user->pw_gid == 0)
        return permanent("mail_owner: " + name + "'s group is root's");
    Identity owner{user->pw_uid, user->pw_gid, std::vector<gid_t>(64), name};
    for (int tries = 0; tries < 2; ++tries) {
        int count = static_cast<int>(owner.groups.size());
        const bool all = getgrouplist(name.c_str(), owner.gid, owner.groups.data(), &count) >= 0;
        owner.groups.resize(static_cast<std::size_t>(count));
        if (all)
            return owner;
    }
    return permanent("mail_owner: " + name + " is in too many groups");
}

bool can_take_rights() { return getuid() == 0; }

TakeIdentity::TakeIdentity(const Identity& identity) {
    if (!can_take_rights())
        return;
    if (!held || held->uid != geteuid() || held->gid != getegid())
        held = Identity{geteuid(), getegid(), groups_now(), {}};
    if (identity.uid == 0 && held->uid == 0)
        return;
    before_ = *held;
    if (!become(identity))
        maillog::fatal("cannot take the rights of {} (uid {}, gid {}): {}", identity.name, identity.uid, identity.gid,
                       errno_text(errno));
    changed_ = true;
}

TakeIdentity::~TakeIdentity() {
    if (!changed_)
        return;
    const int saved = errno;
    if (!become(before_))
        maillog::fatal("cannot give rights back: {}", errno_text(errno));
    maillog::rights_changed();
    errno = saved;
}
}
