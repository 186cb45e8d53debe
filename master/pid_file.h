// $queue_directory/pid/master.pid: who the master is, and a lock on it that says that it lives;
// $data_directory/master.lock: a lock that says so too when somebody has removed the first. Form and locks are
// Postfix's, so that either system sees the other.
#pragma once
#include <sys/types.h>
#include <string>
#include "base/error.h"
#include "base/fd.h"
#include "conf/settings.h"

namespace master {
struct PidFile {
    UniqueFd fd;      // holds the lock; unset where another process has it
    pid_t owner = 0;  // that process, as the file says
};
// Opens (makes) the file and tries the lock. The working directory is queue_directory; directory: process_id_directory.
Result<PidFile> lock_pid_file(const std::string& directory);
// Writes this process's id.
Result<void> write_pid(const PidFile& file);
// The lock on $data_directory/master.lock, with this process's id in it; unset where another process has it. The
// directory is mail_owner's: what the file says is for people, nothing relies on it.
Result<UniqueFd> lock_instance(const conf::Settings& settings);
// Puts the pid file back where it is gone or another file has its place, and says so in the log.
void keep_pid_file(PidFile& file, const std::string& directory);
}
