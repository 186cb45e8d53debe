// What every command does first: which mail system it speaks for, and with what environment.
#pragma once
#include <string>
#include <string_view>
#include "base/error.h"
#include "conf/settings.h"

namespace server {
// True where the program runs with more rights than its caller has (set-gid postlog, postdrop, postqueue).
bool more_rights_than_caller();
// The configuration directory: option (of -c; null where not given), else MAIL_CONFIG, else the default one. With more rights than the
// caller has, another than the default must be named in the default main.cf: multi_instance_directories or alternate_config_directories.
Result<std::string> config_directory(const char* option);
// Reads main.cf of that directory, and lets the environment be what import_environment says. Exports MAIL_CONFIG where it is not the
// default directory, so that commands that this one runs speak for the same mail system.
Result<conf::Settings> command_settings(const char* option, std::string_view process_name);
}
