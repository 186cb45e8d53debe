// Lines that the log's receiver (postlogd, the system's log daemon) has no room for just now. A process that serves many shall not stand still
// for them: it says never_wait() and calls work_off() now and then while lines are kept. Others wait for room, some seconds at most.
// Kept are, too, the lines of a process that has taken rights with which postlogd cannot be reached (TakeIdentity): until it gives them back.
//
// When things fail: beyond backlog_limit lines the oldest are lost, and the next line that goes out is followed by their number.
#pragma once
#include <cstddef>

namespace maillog {
inline constexpr std::size_t backlog_limit = 10000;
// From now on no line waits. begun is called, in whatever thread logs, for a line that is kept; it must not log.
void never_wait(void (*begun)());
// Sends what is kept, as far as there is room; last: before the process ends, waiting some seconds for it. True when nothing is kept any more.
bool work_off(bool last = false);
// Effective rights were taken or given back: what waited for them is sent.
void rights_changed();

// For the ways out.
bool may_wait();
void kept_a_line();
bool work_off_postlog(bool last);
bool work_off_syslog(bool last);
}
