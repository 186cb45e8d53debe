// Lines that the log's receiver (postlogd, the system's log daemon) has no room for just now. A process that serves
// many shall not stand still for them: it says never_wait() and calls work_off() now and then while lines are kept.
// Others wait for room, some seconds at most. Kept are, too, the lines of a process that has taken rights with which
// postlogd cannot be reached (TakeIdentity): until it gives them back.
//
// When things fail: beyond backlog_limit lines the oldest are lost, and the next line that goes out is followed by
// their number. What is kept still when the process ends waits for room until a deadline. What then cannot be written
// directly is lost, and its number is said.
#pragma once
#include <chrono>
#include <cstddef>

namespace maillog {
inline constexpr std::size_t backlog_limit = 10000;
// From now on no line waits. begun is called, in whatever thread logs, for a line that is kept; it must not log.
void never_wait(void (*begun)());
// Sends what is kept, as far as there is room. True when nothing is kept any more.
bool work_off();
// Before the process ends: waits until then for room. What is kept still is written directly where the process may; the
// others are lost, and on_lines_lost()'s function is told how many.
void end_backlog(std::chrono::steady_clock::time_point until);
// This is called with the number of lines that no receiver took in time and that could not be written directly. In
// whatever thread logs; it must not log to postlogd.
void on_lines_lost(void (*say)(std::size_t lines));
// Effective rights were taken or given back: what waited for them is sent.
void rights_changed();

// For the ways out.
bool may_wait();
void kept_a_line();
void lines_lost(std::size_t lines);
bool work_off_postlog();
bool work_off_syslog();
std::size_t give_up_postlog();  // how many are lost by that
std::size_t give_up_syslog();
}
