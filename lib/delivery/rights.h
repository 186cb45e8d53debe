// Whose rights a delivery is made with, and taking them for a while: local, virtual, pipe and spawn go about as
// mail_owner, with root's rights kept aside (server.h), and touch nothing of a user's but with that user's rights. For
// one-session processes only.
//
// When things fail: lookups return Errors (4.3.0). Rights that cannot be taken or given back end the process (fatal):
// to go on with wrong ones would be worse than to start again. A process that is not root (tests) keeps its own rights.
#pragma once
#include <sys/types.h>
#include <optional>
#include <string>
#include <string_view>
#include "base/error.h"
#include "conf/rights.h"

namespace delivery {
struct Rights {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string name;  // for log lines
    friend bool operator==(const Rights& a, const Rights& b) { return a.uid == b.uid && a.gid == b.gid; }
};

struct User {
    std::string name, home, shell;
    Rights rights;
};
// From the password file; absent where there is no such user.
Result<std::optional<User>> find_user(const std::string& name);
Result<std::optional<User>> find_user(uid_t uid);
Result<std::optional<gid_t>> find_group(const std::string& name);
// "user" or "user:group" (names or numbers), as pipe's and spawn's user= have it. Refused: root, and the mail system's
// own user and group.
Result<Rights> parse_user_attribute(std::string_view text, const std::string& mail_owner);

// Effective user, group and supplementary groups (that one group alone) until the end of the scope.
class TakeRights : public conf::TakeIdentity {
public:
    explicit TakeRights(const Rights& rights);
};
// Root's, for what nobody else may do: making files in a spool directory, looking at a file's owner, ending a user's
// command.
inline const Rights root_rights{0, 0, "root"};

// In a child before exec: real, effective and saved user and group, for good. false: it did not work; do not go on.
bool drop_rights_forever(const Rights& rights);
}
