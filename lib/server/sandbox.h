// What a daemon may ask of the kernel once it has dropped its rights: a system-call filter (seccomp), named by groups
// beside its main(); no new privileges; no core files where keys are held. cmake/sandbox_filters.cc has the calls of
// each group, README.md the whole table.
//
// A call outside the groups fails and the daemon goes on: EPERM for what we know, ENOSYS for what we do not, so that a
// newer C library falls back on the older call. What only an intruder does (execve, ptrace, mount, bpf …) ends the
// process at once, by SIGSYS: no library of ours ever needs it, and nothing is gained by letting such a process try
// again.
//
// When things fail: where the system has no filters, or one cannot be loaded, the daemon serves without, and says so;
// mail matters more.
#pragma once
#include <string>
#include "base/error.h"

namespace server {
namespace need {
using Set = unsigned;
// Every daemon has: memory, threads, time, its descriptors, UNIX-domain sockets, the state of files by name.
inline constexpr Set nothing_more = 0;
inline constexpr Set files_read = 1;                 // opens files for reading, lists directories
inline constexpr Set files_mark = 2 | files_read;    // opens existing files for writing too: the marks in a queue file
inline constexpr Set files_write = 4 | files_mark;   // makes, renames and removes files
inline constexpr Set network = 8;                    // Internet sockets of its own: connections, DNS
inline constexpr Set tables = files_read | network;  // lookup tables and the name service: files, or servers anywhere
inline constexpr Set users_rights = 16;              // takes the recipient's rights, gives files to them
inline constexpr Set commands = 32;  // runs commands, which would inherit all this: no filter, and they may gain rights
}

// Why this system has no filters; empty where it has.
std::string sandbox_problem();
// Nothing that this process executes gives it rights that it has not: set-uid programs run as their caller.
Result<void> forbid_new_rights();
// For all threads, and for good.
Result<void> load_filter(need::Set needs);
// No core files of this process, and no debugger but root's. Changing the user undoes half of it: call it again after
// that.
void forbid_core_files();
}
