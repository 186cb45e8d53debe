// The directories of a mail system, as the admin finds them after installation: who owns them, what their rights are.
// They are made at start where they are missing, and checked by `postfix check`; but queue_directory itself and what is
// above it is the administrator's to make: where its name is mistyped, a second queue would be filled that nobody looks
// at.
#pragma once
#include <sys/types.h>
#include <string>
#include <vector>
#include "base/error.h"
#include "conf/settings.h"

namespace postfix {
struct Place {
    std::string path;  // absolute
    mode_t mode;
    bool owner_is_mail_owner;    // else root
    bool group_is_setgid_group;  // else root
};
std::vector<Place> places(const conf::Settings& settings);
// Makes what is missing, and puts owner, group and rights of what it made as they ought to be; with repair of all of
// them.
Result<void> make_places(const conf::Settings& settings, bool repair);
// One line for each thing that is not as it ought to be.
std::vector<std::string> place_problems(const conf::Settings& settings);
}
