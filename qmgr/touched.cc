#include "touched.h"
#ifdef __linux__
#include <sys/inotify.h>
#endif
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace qmgr {
#ifdef __linux__
Touched::Touched() : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

Touched::Watched Touched::watch(const std::string& directory) {
    if (!fd_)
        return Watched::failed;
    const int id =
        ::inotify_add_watch(fd_.get(), directory.c_str(), IN_ATTRIB | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR);
    if (id < 0)
        return Watched::failed;
    return watches_.insert(id).second ? Watched::newly : Watched::already;
}

bool Touched::changed(std::vector<std::string>& names) {
    if (!fd_)
        return false;
    bool all = true;
    alignas(inotify_event) char buffer[16384];
    for (;;) {
        const ssize_t n = ::read(fd_.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return all && (n == 0 || errno == EAGAIN);
        for (ssize_t at = 0; at < n;) {
            inotify_event event;
            std::memcpy(&event, buffer + at, sizeof event);
            const char* name = buffer + at + sizeof event;
            if (event.mask & IN_Q_OVERFLOW)
                all = false;
            if (event.mask & IN_IGNORED)
                watches_.erase(event.wd);  // the directory is gone
            if (event.len > 0)
                names.emplace_back(name, ::strnlen(name, event.len));
            at += static_cast<ssize_t>(sizeof event + event.len);
        }
    }
}
#else
Touched::Touched() = default;
Touched::Watched Touched::watch(const std::string&) { return Watched::failed; }
bool Touched::changed(std::vector<std::string>&) { return false; }
#endif
}
