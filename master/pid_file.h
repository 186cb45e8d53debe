// $queue_directory/pid/master.pid: who the master is, and a lock on it that says that it lives. The form and the lock are Postfix's, so
// that either system sees the other.
#pragma once
#include <sys/types.h>
#include <string>
#include "base/error.h"
#include "base/fd.h"

namespace master {
struct PidFile {
    UniqueFd fd;                                 // holds the lock; unset where another process has it
    pid_t owner = 0;                             // that process, as the file says
};
// Opens (makes) the file and tries the lock. The working directory is queue_directory; directory: process_id_directory.
Result<PidFile> lock_pid_file(const std::string& directory);
// Writes this process's id.
Result<void> write_pid(const PidFile& file);
}
