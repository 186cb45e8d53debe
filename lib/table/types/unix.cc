// unix:passwd.byname and unix:group.byname: the entries that the host's name service has, in the shape of passwd(5) and group(5).
// The name service may ask the network, so the question goes to the pool.
#include <grp.h>
#include <pwd.h>
#include <cerrno>
#include <vector>
#include <fmt/format.h>
#include "loop/loop.h"
#include "table/types/type.h"

namespace table {
namespace {
template <class Entry_, class Ask> int ask_name_service(Entry_& entry, Entry_*& found, std::vector<char>& buffer, Ask ask) {
    int e = ERANGE;
    loop::offload([&] {
        for (std::size_t size = 4096; e == ERANGE && size <= (1u << 22); size *= 4) {   // a group of many members needs the room
            buffer.resize(size);
            e = ask(&entry, buffer.data(), buffer.size(), &found);
        }
    });
    return e;
}

class UnixTable : public Table {
public:
    UnixTable(std::string table_name, bool groups, const OpenOptions& options) : Table(std::move(table_name)), groups_(groups) { fold_ = options.fold; }

protected:
    Result<std::optional<std::string>> lookup(std::string_view key) override {
        std::string name_key(key);
        std::vector<char> buffer;
        std::optional<std::string> value;
        int e = 0;
        if (groups_) {
            group entry{}, *found = nullptr;
            e = ask_name_service(entry, found, buffer, [&](group* g, char* b, std::size_t n, group** f) { return getgrnam_r(name_key.c_str(), g, b, n, f); });
            if (found) {
                value = fmt::format("{}:{}:{}:", found->gr_name, found->gr_passwd, found->gr_gid);
                for (char** member = found->gr_mem; *member; ++member) *value += (member == found->gr_mem ? "" : ",") + std::string(*member);
            }
        } else {
            passwd entry{}, *found = nullptr;
            e = ask_name_service(entry, found, buffer, [&](passwd* p, char* b, std::size_t n, passwd** f) { return getpwnam_r(name_key.c_str(), p, b, n, f); });
            if (found)
                value = fmt::format("{}:{}:{}:{}:{}:{}:{}", found->pw_name, found->pw_passwd, found->pw_uid, found->pw_gid, found->pw_gecos,
                                    found->pw_dir, found->pw_shell);
        }
        // What getpwnam_r says of a user who does not exist differs between systems: getpwnam(3) lists these.
        if (!value && e && e != ENOENT && e != ESRCH && e != EBADF && e != EPERM && e != ENOTDIR)
            return temporary(fmt::format("table {}: lookup error: {}", name(), errno_text(e)));
        return value;
    }

private:
    bool groups_;
};

Result<std::unique_ptr<Table>> open_unix(std::string_view name, const OpenOptions& options) {
    if (name != "passwd.byname" && name != "group.byname") return permanent(fmt::format("unknown table: unix:{}", name));
    return std::make_unique<UnixTable>(fmt::format("unix:{}", name), name == "group.byname", options);
}
}

const Type unix_type{"unix", "", open_unix};
}
