// The host's name service (getpwnam, getgrnam) for unix: tables. A jail has no /etc/passwd and no way to the name
// service, so a daemon that enters one leaves a helper process outside, which answers one question at a time.
//
// When things fail: an Error 4.3.0. A helper that died cannot be started again from within the jail: one fatal line,
// and master starts another worker.
#pragma once
#include <sys/types.h>
#include <optional>
#include <string>
#include "base/error.h"

namespace table {
// The entry in the shape of passwd(5) or group(5), or absent. In a fiber it waits.
Result<std::optional<std::string>> ask_name_service(bool groups, const std::string& key);
// Called as root right before the jail is entered: starts the helper where a unix: table is open. It gives up root's
// rights for these, and calls `confined`. Afterwards, without a helper, a question is an Error and not "no such user".
void note_unix_table();
Result<void> leave_name_service_outside(uid_t user, gid_t group, void (*confined)());
}
