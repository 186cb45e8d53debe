// Effective rights for a while: what a process that was started as root does below a directory that others can write,
// it does as they. Whoever exchanges a file for a link at the right moment then gains what they had.
//
// When things fail: mail_owner() is an Error that says what is wrong with that parameter. Rights that cannot be taken
// or given back end the process (fatal): to go on with wrong ones would be worse. A process that was not started as
// root (tests) keeps its own.
#pragma once
#include <sys/types.h>
#include <string>
#include <vector>
#include "base/error.h"

namespace conf {
class Settings;

struct Identity {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups{};  // supplementary ones
    std::string name{};           // for log lines
};

// The user mail_owner with its groups, looked up now. Refused: none, the superuser, and
// who has root's group.
Result<Identity> mail_owner(const Settings& settings);

// True where rights can be taken: the real user is root, whatever the effective one.
bool can_take_rights();

// Effective user, group and supplementary groups until the end of the scope. They belong to the whole process: for
// processes of one thread, and for scopes in which no fiber waits.
class TakeIdentity {
public:
    explicit TakeIdentity(const Identity& identity);
    ~TakeIdentity();
    TakeIdentity(const TakeIdentity&) = delete;
    // For good, as far as the process does not take others: the way back is not gone by itself.
    void keep() { changed_ = false; }

private:
    Identity before_{};
    bool changed_ = false;
};
}
