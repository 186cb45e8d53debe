// A set-gid program in the hands of any user: nothing of its environment, descriptors, limits or settings is to be believed.
//
// When things fail: fatal lines; the process ends before it did anything with its rights.
#pragma once
#include <string>
#include "base/error.h"
#include "conf/settings.h"

namespace postdrop {
// Descriptors 0 to 2 exist (else the first file opened would become one of them), the others are closed; umask 022; no core files;
// environment reduced to what import_environment names by default, before any library looks at it.
void make_safe();
// Is the user's own rights all that this process has?
bool privileged();
// The directory to read main.cf from: -c or MAIL_CONFIG. While privileged, and for users other than root, only the default one, and
// those that the default main.cf names in alternate_config_directories or multi_instance_directories.
Result<conf::Settings> load_settings(const std::string& asked);
}
