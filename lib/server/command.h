// What every command does first: which mail system it speaks for, and with what environment.
//
// The set-gid programs (postdrop, postlog, postqueue) call start_set_gid() before anything else. In the hands of a user
// nothing of what they were started with is believed: neither environment nor descriptors, limits, timers or signal
// mask, and of -c and MAIL_CONFIG only what the administrator has listed. Root, who could do as much without them, is
// treated as by other commands.
//
// When things fail: an Error whose reason is ready for "fatal: …", before anything was done with the rights that the
// caller lacks.
#pragma once
#include <string>
#include <string_view>
#include "base/error.h"
#include "conf/settings.h"

namespace server {
// True where the program runs with more rights than its caller has (set-gid, run by another than root).
bool more_rights_than_caller();
// First in the main() of a set-gid program. Descriptors 0 to 2 exist (else the first file opened would become one of
// them), the others are closed; umask 022; no core files; no limit, timer or blocked signal of the caller's. Of the
// environment stays MAIL_CONFIG, which is judged below, and a TZ that names no file: libraries read variables of their
// own (ICU_DATA …), and lines of the log are not to be made another host's (POSTLOG_HOSTNAME) or program's
// (MAIL_LOGTAG).
void start_set_gid();
// -v: more log lines; not for those whose rights the program exceeds.
void be_verbose();
// Reads main.cf of the directory that option names (of -c; "" where not given), else MAIL_CONFIG, else the default one.
// With more rights than the caller has, another than the default must be named in the default main.cf:
// alternate_config_directories or multi_instance_directories. Then the environment is what import_environment says, and
// MAIL_CONFIG where the directory is not the default one, so that commands that this one runs speak for the same mail
// system.
Result<conf::Settings> command_settings(const std::string& option, std::string_view process_name);
// An Error where queue_directory is no directory: the name may be mistyped, so nothing is made there and nothing is
// filed.
Result<void> queue_directory_there(const conf::Settings& settings);
}
