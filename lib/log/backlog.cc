#include "log/backlog.h"
#include <poll.h>
#include <atomic>

namespace maillog {
namespace {
std::atomic<void (*)()> begun{nullptr};
std::atomic<void (*)(std::size_t)> say_lost{nullptr};
}

void never_wait(void (*f)()) { begun = f; }
bool may_wait() { return begun.load() == nullptr; }
void kept_a_line() {
    if (auto* f = begun.load())
        f();
}

void on_lines_lost(void (*say)(std::size_t)) { say_lost = say; }
void lines_lost(std::size_t lines) {
    if (auto* say = say_lost.load(); say && lines > 0)
        say(lines);
}

bool work_off() {
    const bool posted = work_off_postlog(), sent = work_off_syslog();
    return posted && sent;
}

void end_backlog(std::chrono::steady_clock::time_point until) {
    while (!work_off() && std::chrono::steady_clock::now() < until)
        (void)::poll(nullptr, 0, 20);
    const std::size_t posted = give_up_postlog();
    lines_lost(posted + give_up_syslog());
}
}
