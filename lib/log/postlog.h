// The maillog as a file (maillog_file). Only postlogd writes the file; the others send it finished lines as datagrams:
//
//     Nov 22 12:00:00 mx postfix/smtpd[4700]: connect from localhost[127.0.0.1]
//
// When things fail: a datagram waits some seconds for room, or is kept in a process that serves many (backlog.h). Where
// nobody listens (before postlogd's socket exists, after the mail system has ended), a process that was given a file to
// fall back on appends the line there itself, as it does after a first vain wait; the others lose it to stderr. A line
// that was waited for in vain and is lost is told to on_lines_lost()'s function.
#pragma once
#include <string>
#include <string_view>
#include "base/error.h"
#include "base/fd.h"

namespace maillog {
struct PostlogTarget {
    std::string
        socket;        // "public/postlog" for daemons (relative: it works in a jail too), an absolute path for commands
    std::string file;  // written directly when nobody listens; "" where the process may not
    bool always_direct = false;   // master: it cannot wait for a service that it has to start
    unsigned permissions = 0600;  // of a file that is made
    std::string hostname;         // in the line; its first label is shown
};
// All lines go there from now on, in place of syslog. open() must have set the identity.
void to_postlog(PostlogTarget target);

// "Nov 22 12:00:00 host tag[pid]: text"
std::string file_line(std::string_view hostname, std::string_view tag, std::string_view text);
// Opens the file for appending; it is made with this mode where it is missing. For root in a directory that others can
// write no link is followed, and what is there must be a regular file with no other name, since they may have put it
// there.
Result<UniqueFd> open_to_append(const std::string& path, unsigned mode);
// Appends whole lines to the file, which is opened for this and made where it is absent; "/dev/stdout" is this
// process's own standard output.
Result<void> append_line(const std::string& path, unsigned permissions, std::string_view lines);
}
