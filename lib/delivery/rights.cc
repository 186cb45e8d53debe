// See delivery/rights.h.
#include "delivery/rights.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>
#include <cerrno>
#include <limits>
#include <vector>
#include "base/bytes.h"

namespace delivery {
namespace {
constexpr std::size_t entry_max = 1u << 20;  // a group with very many members

// getpwnam_r and its kin, with a buffer that grows. Several C libraries say "not found" in different ways.
template <class Entry, class Call> Result<bool> fetch(Entry& entry, std::vector<char>& buffer, const Call& call) {
    for (std::size_t size = 4096; size <= entry_max; size *= 4) {
        buffer.resize(size);
        Entry* found = nullptr;
        int err = call(&entry, buffer.data(), buffer.size(), &found);
        if (found)
            return true;
        if (err == ERANGE)
            continue;
        if (err == 0 || err == ENOENT || err == ESRCH || err == EBADF || err == EPERM)
            return false;
        if (err == EINTR) {
            size /= 4;
            continue;
        }
        return system_error("user database", err);
    }
    return temporary("user database: an entry is too long");
}

User made_of(const passwd& p) {
    User user;
    user.name = p.pw_name;
    user.home = p.pw_dir ? p.pw_dir : "";
    user.shell = p.pw_shell ? p.pw_shell : "";
    user.rights = {p.pw_uid, p.pw_gid, p.pw_name};
    return user;
}

std::optional<std::int64_t> id_number(std::string_view text) {
    if (text.empty() || !bytes::is_digit(text[0]))
        return std::nullopt;
    auto n = bytes::to_int(text);
    return n && *n >= 0 && *n < std::numeric_limits<std::int32_t>::max() ? n : std::nullopt;
}
}

Result<std::optional<User>> find_user(const std::string& name) {
    if (name.empty() || name.find('\0') != name.npos)
        return std::optional<User>();
    passwd entry{};
    std::vector<char> buffer;
    TRY_ASSIGN(bool found, fetch(entry, buffer, [&](passwd* e, char* b, std::size_t n, passwd** f) {
                   return getpwnam_r(name.c_str(), e, b, n, f);
               }));
    return found ? std::optional(made_of(entry)) : std::nullopt;
}

Result<std::optional<User>> find_user(uid_t uid) {
    passwd entry{};
    std::vector<char> buffer;
    TRY_ASSIGN(bool found, fetch(entry, buffer, [&](passwd* e, char* b, std::size_t n, passwd** f) {
                   return getpwuid_r(uid, e, b, n, f);
               }));
    return found ? std::optional(made_of(entry)) : std::nullopt;
}

Result<std::optional<gid_t>> find_group(const std::string& name) {
    struct group entry {};
    std::vector<char> buffer;
    TRY_ASSIGN(bool found, fetch(entry, buffer, [&](struct group* e, char* b, std::size_t n, struct group** f) {
                   return getgrnam_r(name.c_str(), e, b, n, f);
               }));
    return found ? std::optional(entry.gr_gid) : std::nullopt;
}

Result<Rights> parse_user_attribute(std::string_view text, const std::string& mail_owner) {
    auto [user_text, group_text] = bytes::cut(text, ':');
    std::string user_name(user_text);
    TRY_ASSIGN(std::optional<User> user, find_user(user_name));
    Rights rights;
    if (user)
        rights = user->rights;
    else if (auto number = id_number(user_name))
        rights = {static_cast<uid_t>(*number), static_cast<gid_t>(*number), user_name};
    else
        return permanent("unknown username: " + user_name);
    if (group_text) {
        std::string group_name(*group_text);
        TRY_ASSIGN(std::optional<gid_t> group, find_group(group_name));
        if (group)
            rights.gid = *group;
        else if (auto number = id_number(group_name))
            rights.gid = static_cast<gid_t>(*number);
        else
            return permanent("unknown group: " + group_name);
    }
    if (rights.uid == 0)
        return permanent("user= command-line attribute specifies root privileges");
    if (rights.gid == 0)
        return permanent("user= command-line attribute specifies a privileged group");
    TRY_ASSIGN(std::optional<User> owner, find_user(mail_owner));
    if (owner && rights.uid == owner->rights.uid)
        return permanent("user= command-line attribute specifies mail system owner " + mail_owner);
    if (owner && rights.gid == owner->rights.gid)
        return permanent("user= command-line attribute specifies mail system owner " + mail_owner + " group");
    return rights;
}

TakeRights::TakeRights(const Rights& rights) : TakeIdentity({rights.uid, rights.gid, {rights.gid}, rights.name}) {}

bool drop_rights_forever(const Rights& rights) {
    if (getuid() != 0)
        return getuid() == rights.uid && geteuid() == rights.uid;
    if (seteuid(0) != 0 || setgroups(1, &rights.gid) != 0 || setgid(rights.gid) != 0 || setuid(rights.uid) != 0)
        return false;
    return rights.uid == 0 || setuid(0) != 0;
}
}
