#include "log/postlog.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <deque>
#include <mutex>
#include <utility>
#include "base/fd.h"
#include "log/backlog.h"
#include "log/log.h"

namespace maillog {
namespace {
PostlogTarget target;
std::mutex lock;  // pool threads may log
UniqueFd out;
std::deque<std::string> kept;
std::atomic<bool> lines_kept{false};  // there are some: to be asked without the lock
std::size_t lost = 0;                 // of the kept ones, since the last that was sent

enum class Posted {
    yes,
    later,
    nobody
};  // later: no room just now, or no right to enter the socket's directory; nobody listens

// Connected, so that lines said with a user's rights, who may not enter the socket's directory, find their way too.
int connect_postlogd() {
    sockaddr_un to{};
    if (target.socket.empty() || target.socket.size() >= sizeof to.sun_path)
        return ENOENT;
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, target.socket.data(), target.socket.size());
    out = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!out)
        return errno;
    timeval limit{5, 0};  // a busy machine may leave postlogd without a turn for a second: that shall cost no line
    setsockopt(out.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (::connect(out.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0)
        return 0;
    const int error = errno;
    out.reset();
    return error;
}

// A process that root started and that goes about with other rights gets better ones again.
bool has_rights_aside() { return getuid() == 0 && geteuid() != 0; }

Posted post(std::string_view line, bool wait) {
    for (int tries = 0; tries < 2; ++tries) {
        if (int error = out ? 0 : connect_postlogd(); error != 0)
            return error == EACCES && has_rights_aside() ? Posted::later : Posted::nobody;
        ssize_t n;
        do
            n = ::send(out.get(), line.data(), line.size(), MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
        while (n < 0 && errno == EINTR);
        if (n >= 0)
            return Posted::yes;
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
            return Posted::later;
        out.reset();  // whoever had the socket has ended; there may be another
    }
    return Posted::nobody;
}

// False: the line is lost.
bool write_directly(std::string line) {
    line += '\n';
    if (!target.file.empty() && append_line(target.file, target.permissions, line))
        return true;
    return isatty(STDERR_FILENO) && write_all(STDERR_FILENO, line);
}

// In the order in which they came. False: some are kept still.
bool send_kept(bool wait) {
    std::size_t gone = 0;  // nobody listens any more
    Posted posted = Posted::yes;
    while (!kept.empty() && (posted = post(kept.front(), wait)) != Posted::later) {
        const bool written = posted == Posted::yes || write_directly(std::move(kept.front()));
        kept.pop_front();
        if (!written) {
            ++gone;
            continue;
        }
        if (std::size_t n = std::exchange(lost, 0))
            kept.push_front(file_line(target.hostname, "postfix/log",
                                      fmt::format("warning: {} lines were lost: postlogd did not take them", n)));
    }
    lines_lost(gone);
    return !(lines_kept = !kept.empty());
}

// The process ends: what is kept is written directly where that can be. The number of lines that are lost.
std::size_t give_up() {
    for (std::string& line : kept)
        lost += write_directly(std::move(line)) ? 0 : 1;
    kept.clear();
    lines_kept = false;
    return std::exchange(lost, 0);
}

void send_line(Level level, std::string_view tag, std::string_view text, void*) {
    std::string line = file_line(target.hostname, tag, text);
    const bool last = level == Level::fatal || level == Level::panic, wait = may_wait() || last;
    {
        std::lock_guard hold(lock);
        if (target.always_direct) {
            (void)write_directly(std::move(line));
            return;
        }
        Posted posted = send_kept(wait) ? post(line, wait) : Posted::later;
        if (posted == Posted::yes)
            return;
        if (posted == Posted::nobody || last || (wait && out)) {
            target.always_direct =
                posted == Posted::later && out && !target.file.empty();  // it has waited: once is enough
            std::size_t gone = last ? give_up() : 0;
            if (!write_directly(std::move(line)) && posted == Posted::later)
                ++gone;
            return lines_lost(gone);
        }
        if (kept.size() >= backlog_limit) {
            kept.pop_front();
            ++lost;
        }
        kept.push_back(std::move(line));
        lines_kept = true;
    }
    kept_a_line();
}
}

bool work_off_postlog() {
    std::lock_guard hold(lock);
    return send_kept(false);
}

std::size_t give_up_postlog() {
    std::lock_guard hold(lock);
    return give_up();
}

void rights_changed() {
    if (!lines_kept)
        return;
    std::lock_guard hold(lock);
    (void)send_kept(may_wait());
}

void to_postlog(PostlogTarget t) {
    target = std::move(t);
    target.hostname.resize(std::min(target.hostname.size(), target.hostname.find('.')));
    redirect(send_line, nullptr);
}

std::string file_line(std::string_view hostname, std::string_view tag, std::string_view text) {
    static const char* const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::time_t now = std::time(nullptr);
    tm t{};
    localtime_r(&now, &t);
    return fmt::format("{} {:2} {:02}:{:02}:{:02} {} {}[{}]: {}", months[t.tm_mon], t.tm_mday, t.tm_hour, t.tm_min,
                       t.tm_sec, hostname, tag, line_number(), text);
}

Result<UniqueFd> open_to_append(const std::string& path, unsigned mode) {
    const std::size_t slash = path.rfind('/');
    const std::string name = path.substr(slash == path.npos ? 0 : slash + 1);
    UniqueFd directory(
        ::open(slash == path.npos ? "." : path.substr(0, slash + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat above {
    }, st{};
    if (!directory || fstat(directory.get(), &above) != 0)
        return system_error("open " + path, errno);
    const bool doubtful = geteuid() == 0 && (above.st_uid != 0 || (above.st_mode & 022) != 0);
    const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | (doubtful ? O_NOFOLLOW | O_NONBLOCK : 0);
    UniqueFd fd(
        ::openat(directory.get(), name.c_str(), flags));  // one that is there keeps its mode: others may read it
    if (!fd && errno == ENOENT) {
        fd = UniqueFd(::openat(directory.get(), name.c_str(), flags | O_CREAT | O_EXCL, mode));
        if (fd)
            (void)fchmod(fd.get(), mode);  // whatever umask says
        else if (errno == EEXIST)
            fd = UniqueFd(::openat(directory.get(), name.c_str(), flags));  // another was first
    }
    if (!fd || fstat(fd.get(), &st) != 0)
        return system_error("open " + path, errno);
    if (doubtful && (!S_ISREG(st.st_mode) || st.st_nlink != 1))
        return permanent("open " + path + ": not a regular file with one name, in a directory that others can write");
    return fd;
}

Result<void> append_line(const std::string& path, unsigned permissions, std::string_view lines) {
    if (path == "/dev/stdout")
        return write_all(STDOUT_FILENO, lines);
    TRY_ASSIGN(UniqueFd fd, open_to_append(path, permissions));
    return write_all(fd.get(), lines);
}
}
