#include "log/postlog.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <ctime>
#include "base/fd.h"
#include "log/log.h"

namespace maillog {
namespace {
PostlogTarget target;
UniqueFd out;

// True where the datagram is on its way. One try a line, and a second on a socket made anew after postlogd's own was.
bool post(std::string_view line) {
    sockaddr_un to{};
    if (target.socket.empty() || target.socket.size() >= sizeof to.sun_path) return false;
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, target.socket.data(), target.socket.size());
    if (!out) {
        out = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        if (!out) return false;
        timeval limit{5, 0};                     // a busy machine may leave postlogd without a turn for a second: that shall cost no line
        setsockopt(out.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    ssize_t n;
    do n = ::sendto(out.get(), line.data(), line.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    while (n < 0 && errno == EINTR);
    return n >= 0;
}

void send_line(Level, std::string_view tag, std::string_view text, void*) {
    std::string line = file_line(target.hostname, tag, text);
    if (!target.always_direct && post(line)) return;
    if (!target.file.empty()) {
        if (append_line(target.file, target.permissions, line + '\n')) return;
    }
    if (isatty(STDERR_FILENO)) {
        line += '\n';
        (void)!::write(STDERR_FILENO, line.data(), line.size());
    }
}
}

void to_postlog(PostlogTarget t) {
    target = std::move(t);
    target.hostname.resize(std::min(target.hostname.size(), target.hostname.find('.')));
    redirect(send_line, nullptr);
}

std::string file_line(std::string_view hostname, std::string_view tag, std::string_view text) {
    static const char* const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::time_t now = std::time(nullptr);
    tm t{};
    localtime_r(&now, &t);
    return fmt::format("{} {:2} {:02}:{:02}:{:02} {} {}[{}]: {}", months[t.tm_mon], t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, hostname, tag, line_number(), text);
}

Result<void> append_line(const std::string& path, unsigned permissions, std::string_view lines) {
    if (path == "/dev/stdout") return write_all(STDOUT_FILENO, lines);
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, permissions));
    if (!fd) return system_error("open " + path, errno);
    return write_all(fd.get(), lines);
}
}
