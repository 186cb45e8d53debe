// Which configuration a command works with: -c, else MAIL_CONFIG, else the default directory. A set-gid command that a user runs
// takes another directory than the default only when the default main.cf lists it (alternate_config_directories,
// multi_instance_directories): otherwise anybody could point it at a configuration of their own.
//
// When things fail: an Error whose reason is ready for "fatal: …".
#pragma once
#include <string>
#include "base/error.h"
#include "conf/settings.h"

namespace conf {
inline constexpr const char* default_directory = "/etc/postfix";

// option: what -c said, or "". The environment variable MAIL_CONFIG is set to the directory that was chosen.
Result<Settings> command_settings(const std::string& option);
// The process has more rights than who runs it (set-uid, set-gid).
bool has_borrowed_rights();
}
