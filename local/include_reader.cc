// See include_reader.h. The path is walked name by name, as the kernel would, below the descriptor of the directory
// that was looked at.
#include "include_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include "base/fd.h"

namespace local {
namespace {
struct Origin {
    uid_t owner;       // of the first link that a user made on the way; else of the file
    bool roots_alone;  // nobody but root can exchange any part of the way
};

bool only_root_writes(const struct stat& directory) { return directory.st_uid == 0 && (directory.st_mode & 022) == 0; }
// As in /tmp: what root made there nobody moves.
bool sticky_of_root(const struct stat& directory) {
    return directory.st_uid == 0 && (directory.st_mode & S_ISVTX) != 0;
}

std::string take_name(std::string& rest) {
    rest.erase(0, rest.find_first_not_of('/'));
    std::string name = rest.substr(0, rest.find('/'));
    rest.erase(0, name.size());
    if (rest.find_first_not_of('/') == rest.npos)
        rest.clear();
    return name;
}

Result<std::string> target_of(int directory, const std::string& name) {
    char target[PATH_MAX];
    const ssize_t n = ::readlinkat(directory, name.c_str(), target, sizeof target);
    if (n < 0)
        return system_error(name, errno);
    if (n == sizeof target)
        return system_error(name, ENAMETOOLONG);
    return std::string(target, static_cast<std::size_t>(n));
}

constexpr int open_directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Result<Origin> origin_of(const std::string& path) {
    constexpr int links_max = 40;  // as Linux has it
    delivery::TakeRights root(delivery::root_rights);
    UniqueFd directory(::open("/", open_directory));
    std::string rest = path;
    bool roots_alone = true;
    for (int links = 0;;) {
        struct stat above {
        }, st{};
        const std::string name = take_name(rest);
        if (name.empty())
            return system_error(path, EISDIR);
        if (!directory || ::fstat(directory.get(), &above) != 0 ||
            ::fstatat(directory.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
            return system_error(path, errno);
        const bool fixed = only_root_writes(above);
        if (S_ISLNK(st.st_mode)) {
            if (!fixed && st.st_uid != 0)
                return Origin{st.st_uid, false};
            if (++links > links_max)
                return system_error(path, ELOOP);
            roots_alone = roots_alone && fixed;
            TRY_ASSIGN(std::string target, target_of(directory.get(), name));
            if (target.starts_with('/'))
                directory = UniqueFd(::open("/", open_directory));
            rest = target + '/' + rest;
        } else if (S_ISDIR(st.st_mode)) {
            roots_alone = roots_alone && (fixed || (sticky_of_root(above) && st.st_uid == 0));
            directory = UniqueFd(::openat(directory.get(), name.c_str(), open_directory));
        } else {
            if (!rest.empty())
                return system_error(path, ENOTDIR);
            // Another name for somebody else's file, which may be made without being able to read it.
            if (!fixed && st.st_nlink > 1 && st.st_uid != above.st_uid)
                return Origin{0, false};
            return Origin{st.st_uid, roots_alone && fixed};
        }
    }
}
}

Result<IncludeReader> include_reader(const std::string& path, const delivery::Rights& otherwise) {
    TRY_ASSIGN(Origin origin, origin_of(path));
    if (origin.owner == 0)
        return IncludeReader{origin.roots_alone ? delivery::root_rights : otherwise, {}};
    TRY_ASSIGN(std::optional<delivery::User> owner, delivery::find_user(origin.owner));
    if (!owner)
        return temporary(fmt::format("{}: there is no user with the uid {} of its owner", path, origin.owner));
    return IncludeReader{owner->rights, owner};
}
}
