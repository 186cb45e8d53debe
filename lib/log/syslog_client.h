// The way to the system's log daemon, for log.cc. Unlike syslog(3) it can come back where the daemon's socket cannot be
// seen (a jail) or is for root alone (EACCES): then somebody outside is asked for a connected descriptor, and lines are
// kept meanwhile.
//
// When things fail: a line waits at most a second for room, or is kept in a process that serves many (backlog.h); of
// the lines that are kept the oldest go first.
#pragma once
#include <string_view>
#include "base/fd.h"

namespace maillog {
// A datagram (or stream) socket connected to the log daemon; unset, with errno, where none listens (EACCES: or it is
// not for us).
UniqueFd connect_syslog();
// Connects unless it is connected.
void open_syslog();
// priority: severity and facility of syslog.h.
void send_syslog(int priority, std::string_view tag, std::string_view text);
// Called at most once a second while there is no way to the daemon; it asks for a descriptor, and must not wait.
// always: in a jail, also where no socket can be seen; else only where there is one that is not for us: a host without
// a log daemon shall not keep lines for it.
void on_syslog_lost(void (*ask)(), bool always);
// The descriptor that was asked for; what was kept is sent.
void adopt_syslog(UniqueFd fd);
}
