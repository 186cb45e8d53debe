#include "log/syslog_client.h"
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include "log/backlog.h"
#include "log/log.h"

namespace maillog {
namespace {
std::mutex lock;  // pool threads may log
UniqueFd out;
bool stream = false;
std::deque<std::string> kept;
void (*ask_for_one)() = nullptr;
bool always_ask = false;
std::time_t asked = 0;

bool is_stream(int fd) {
    int type = 0;
    socklen_t n = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM;
}

// "Nov 22 12:00:00", made once a second.
const std::string& stamp() {
    static const char* const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static thread_local std::time_t last = -1;
    static thread_local std::string text;
    const std::time_t now = std::time(nullptr);
    if (now == last)
        return text;
    tm t{};
    localtime_r(&now, &t);
    text = fmt::format("{} {:2} {:02}:{:02}:{:02}", months[t.tm_mon], t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
    last = now;
    return text;
}

// As the daemon expects it: "<22>Nov 22 12:00:00 postfix/smtpd[4700]: text".
std::string line_of(int priority, std::string_view tag, std::string_view text) {
    return fmt::format("<{}>{} {}[{}]: {}", priority, stamp(), tag, line_number(), text);
}

// False: it is to be kept, for room or for another connection. On a stream, where part of it may be gone already, it
// waits a second for room.
bool send_line(const std::string& line, bool wait) {
    if (!out)
        return false;
    ssize_t n;
    do
        n = ::send(out.get(), line.data(), line.size() + (stream ? 1 : 0),
                   MSG_NOSIGNAL | (wait || stream ? 0 : MSG_DONTWAIT));  // a stream's lines end with NUL
    while (n < 0 && errno == EINTR);
    if (n >= 0 || errno == EMSGSIZE)
        return true;  // sent, or lost for good
    if (errno == EAGAIN || errno == ENOBUFS)
        return wait || stream;
    out.reset();
    return false;
}

bool send_kept(bool wait) {
    for (; !kept.empty(); kept.pop_front())
        if (!send_line(kept.front(), wait))
            return false;
    return true;
}

void use(UniqueFd fd) {
    out = std::move(fd);
    stream = out && is_stream(out.get());
}
}

UniqueFd connect_syslog() {
    int error = ENOENT;
    for (const char* path : {"/dev/log", "/var/run/log"})
        for (int type : {SOCK_DGRAM, SOCK_STREAM}) {
            sockaddr_un to{};
            to.sun_family = AF_UNIX;
            std::strncpy(to.sun_path, path, sizeof to.sun_path - 1);
            UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
            if (!fd || ::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
                if (errno == EACCES || errno == EPERM)
                    error = EACCES;
                continue;
            }
            timeval limit{1, 0};
            setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
            return fd;
        }
    errno = error;
    return {};
}

void open_syslog() {
    std::lock_guard hold(lock);
    if (!out)
        use(connect_syslog());
}

void send_syslog(int priority, std::string_view tag, std::string_view text) {
    std::string line = line_of(priority, tag, text);
    const bool wait = may_wait();
    {
        std::lock_guard hold(lock);
        if (send_kept(wait) && send_line(line, wait))
            return;
        bool forbidden = false;
        if (!out) {  // the daemon was restarted
            use(connect_syslog());
            if (out && send_kept(wait) && send_line(line, wait))
                return;
            forbidden = !out && errno == EACCES;
        }
        if (!out && !(ask_for_one && (always_ask || forbidden)))
            return;
        if (kept.size() >= backlog_limit)
            kept.pop_front();
        kept.push_back(std::move(line));
        if (std::time_t now = std::time(nullptr); !out && now != asked) {
            asked = now;
            ask_for_one();
        }
        if (!out)
            return;  // adopt_syslog() sends them
    }
    kept_a_line();
}

bool work_off_syslog() {
    std::lock_guard hold(lock);
    return !out || send_kept(false);
}

std::size_t give_up_syslog() {
    std::lock_guard hold(lock);
    return std::exchange(kept, {}).size();
}

void on_syslog_lost(void (*ask)(), bool always) {
    ask_for_one = ask;
    always_ask = always;
}

void adopt_syslog(UniqueFd fd) {
    std::lock_guard hold(lock);
    use(std::move(fd));
    asked = 0;  // that was the answer; when this one is lost too, it asks again at once
    (void)send_kept(may_wait());
}
}
