// A shared object for LD_PRELOAD, in tests only: it counts what a process does to the files below one directory and
// what it tells other processes over UNIX-domain stream sockets and pipes, and ends the process with SIGKILL before the
// n-th such step, lets the steps fail with an errno, or holds one up until the test says how it ends. Crash points need
// no line in the product that way: there is one before each system call that matters.
//
// Which program, which n, and which kinds of step stands in a file that all processes map (environment: CRASH_CONTROL;
// layout: struct Control, written by control.py); so it is changed while the system runs. The count is that of all
// processes of the program's name together: exactly one of them is killed. Without the file, or with a file of another
// size, nothing is counted and nothing happens.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {
enum Kind : std::uint32_t {
    write_file = 1,
    rename_file = 2,
    link_file = 4,
    unlink_file = 8,
    change_mode = 16,
    sync_file = 32,
    truncate_file = 64,
    create_file = 128,
    message = 256,
    change_time = 512
};
enum Action : std::int32_t {
    count_only = 0,
    kill_it = -1,
    hold_it = -2
};  // a positive number: the errno that each step fails with

struct Counter {
    std::atomic<std::uint32_t> taken;
    std::uint32_t unused;
    char name[24];
    std::atomic<std::uint64_t> steps;
};
struct Control {
    char program[32];  // "*": any
    char below[192];   // files whose path begins so
    char except[192];  // but not so (the log)
    std::uint32_t kinds;
    std::atomic<std::int32_t> action;
    std::uint64_t at;                   // the n-th step; 0: every one
    std::atomic<std::uint64_t> steps;   // of the program, so far
    std::atomic<std::uint32_t> killed;  // or held up: process id
    std::uint32_t unused;
    char where[128];       // which step it was
    Counter programs[48];  // steps of each program, whatever `program` says
};

Control* control = nullptr;
std::atomic<std::uint64_t>* own_steps = nullptr;
char own_name[24];

std::atomic<std::uint64_t>* own_counter() {
    for (Counter& c : control->programs) {
        std::uint32_t expected = 0;
        if (c.taken.compare_exchange_strong(expected, 1)) {
            std::snprintf(c.name, sizeof c.name, "%s", own_name);
            c.taken = 2;
        }
        while (c.taken.load() == 1)
            ;  // its name is being written
        if (std::strcmp(c.name, own_name) == 0)
            return &c.steps;
    }
    return nullptr;
}

__attribute__((constructor)) void start() {
    const char* path = std::getenv("CRASH_CONTROL");
    int fd = path ? ::open(path, O_RDWR | O_CLOEXEC) : -1;
    struct stat st {};
    if (fd >= 0 && ::fstat(fd, &st) == 0 && st.st_size == static_cast<off_t>(sizeof(Control))) {
        void* at = ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (at != MAP_FAILED) {
            std::snprintf(own_name, sizeof own_name, "%s", program_invocation_short_name);
            control = static_cast<Control*>(at);
            own_steps = own_counter();
        }
    }
    if (fd >= 0)
        ::close(fd);
}

bool begins(const char* text, const char* with) { return std::strncmp(text, with, std::strlen(with)) == 0; }

bool watched_path(const char* path) {
    if (path[0] != '/')
        return true;  // daemons stay in the queue directory
    return begins(path, control->below) && (!control->except[0] || !begins(path, control->except));
}

bool watched() {
    return control && (control->program[0] == '*' || std::strcmp(control->program, own_name) == 0 ||
                       control->action == count_only);
}

// One step, before it is done. True: it shall fail, errno says how.
bool step(Kind kind, const char* call, const char* what) {
    if (!(control->kinds & kind))
        return false;
    if (own_steps)
        ++*own_steps;
    if (control->program[0] != '*' && std::strcmp(control->program, own_name) != 0)
        return false;
    const std::uint64_t number = ++control->steps;
    if (control->action == count_only || (control->at && number != control->at))
        return false;
    std::snprintf(control->where, sizeof control->where, "%s %s", call, what);
    const bool held = control->action == hold_it;
    if (held)
        control->killed = static_cast<std::uint32_t>(::getpid());
    while (control->action == hold_it)
        ::usleep(1000);
    if (control->action > 0 || held) {
        errno = control->action;
        return control->action > 0;
    }
    control->killed = static_cast<std::uint32_t>(::getpid());
    ::kill(::getpid(), SIGKILL);
    for (;;)
        __builtin_trap();  // where a system-call filter forbids kill
}

bool path_step(Kind kind, const char* call, const char* path) {
    return watched() && watched_path(path) && step(kind, call, path);
}

// Is fd a stream socket of the UNIX domain? Datagrams are log lines and the like.
bool to_process(int fd) {
    int type = 0, domain = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX)
        return false;
    size = sizeof type;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type != SOCK_DGRAM;
}

bool descriptor_step(Kind kind, const char* call, int fd) {
    if (!watched())
        return false;
    int error = errno;
    char link[40], path[PATH_MAX];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = ::readlink(link, path, sizeof path - 1);
    errno = error;
    if (n <= 0)
        return false;
    path[n] = '\0';
    bool relevant = false;
    if (begins(path, "socket:")) {
        kind = message;
        relevant = to_process(fd);
    } else if (begins(path, "pipe:")) {
        kind = message;
        relevant = !(::fcntl(fd, F_GETFL) & O_NONBLOCK);
    }  // a process wakes itself through those
    else
        relevant = path[0] == '/' && watched_path(path);
    errno = error;
    return relevant && step(kind, call, path);
}

template <class F> F* next(const char* name) { return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name)); }
}

#define NEXT(name) static auto* const real = next<decltype(name)>(#name)
#define ON_PATH(name, kind, path)                                                                                      \
    NEXT(name);                                                                                                        \
    if (path_step(kind, #name, path))                                                                                  \
    return -1
#define ON_DESCRIPTOR(name, kind, fd)                                                                                  \
    NEXT(name);                                                                                                        \
    if (descriptor_step(kind, #name, fd))                                                                              \
    return -1

extern "C" {
ssize_t write(int fd, const void* data, size_t size) {
    ON_DESCRIPTOR(write, write_file, fd);
    return real(fd, data, size);
}
ssize_t writev(int fd, const iovec* parts, int count) {
    ON_DESCRIPTOR(writev, write_file, fd);
    return real(fd, parts, count);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
    ON_DESCRIPTOR(pwrite, write_file, fd);
    return real(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
    ON_DESCRIPTOR(pwrite64, write_file, fd);
    return real(fd, data, size, at);
}
ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
    ON_DESCRIPTOR(pwritev, write_file, fd);
    return real(fd, parts, count, at);
}
ssize_t send(int fd, const void* data, size_t size, int flags) {
    ON_DESCRIPTOR(send, message, fd);
    return real(fd, data, size, flags);
}
ssize_t sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to, socklen_t length) {
    ON_DESCRIPTOR(sendto, message, fd);
    return real(fd, data, size, flags, to, length);
}
ssize_t sendmsg(int fd, const msghdr* what, int flags) {
    ON_DESCRIPTOR(sendmsg, message, fd);
    return real(fd, what, flags);
}
int fsync(int fd) {
    ON_DESCRIPTOR(fsync, sync_file, fd);
    return real(fd);
}
int fdatasync(int fd) {
    ON_DESCRIPTOR(fdatasync, sync_file, fd);
    return real(fd);
}
int syncfs(int fd) noexcept {
    ON_DESCRIPTOR(syncfs, sync_file, fd);
    return real(fd);
}
int ftruncate(int fd, off_t size) noexcept {
    ON_DESCRIPTOR(ftruncate, truncate_file, fd);
    return real(fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
    ON_DESCRIPTOR(ftruncate64, truncate_file, fd);
    return real(fd, size);
}
int fchmod(int fd, mode_t mode) noexcept {
    ON_DESCRIPTOR(fchmod, change_mode, fd);
    return real(fd, mode);
}
int futimens(int fd, const timespec times[2]) noexcept {
    ON_DESCRIPTOR(futimens, change_time, fd);
    return real(fd, times);
}

int chmod(const char* path, mode_t mode) noexcept {
    ON_PATH(chmod, change_mode, path);
    return real(path, mode);
}
int rename(const char* from, const char* to) noexcept {
    ON_PATH(rename, rename_file, to);
    return real(from, to);
}
int renameat2(int a, const char* from, int b, const char* to, unsigned flags) noexcept {
    ON_PATH(renameat2, rename_file, to);
    return real(a, from, b, to, flags);
}
int link(const char* from, const char* to) noexcept {
    ON_PATH(link, link_file, to);
    return real(from, to);
}
int unlink(const char* path) noexcept {
    ON_PATH(unlink, unlink_file, path);
    return real(path);
}
int remove(const char* path) noexcept {
    ON_PATH(remove, unlink_file, path);
    return real(path);
}
int unlinkat(int at, const char* path, int flags) noexcept {
    ON_PATH(unlinkat, unlink_file, path);
    return real(at, path, flags);
}
int mkdir(const char* path, mode_t mode) noexcept {
    ON_PATH(mkdir, create_file, path);
    return real(path, mode);
}
int utimensat(int at, const char* path, const timespec times[2], int flags) noexcept {
    ON_PATH(utimensat, change_time, path);
    return real(at, path, times, flags);
}
int mkostemp(char* path, int flags) {
    ON_PATH(mkostemp, create_file, path);
    return real(path, flags);
}

static mode_t mode_of(int flags, va_list arguments) {
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}
#define OPEN(name, parameters, ...)                                                                                    \
    int name parameters {                                                                                              \
        NEXT(name);                                                                                                    \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        const mode_t mode = mode_of(flags, arguments);                                                                 \
        va_end(arguments);                                                                                             \
        if ((flags & O_CREAT) && path_step(create_file, #name, path))                                                  \
            return -1;                                                                                                 \
        return real(__VA_ARGS__, flags, mode);                                                                         \
    }
OPEN(open, (const char* path, int flags, ...), path)
OPEN(open64, (const char* path, int flags, ...), path)
OPEN(openat, (int at, const char* path, int flags, ...), at, path)
OPEN(openat64, (int at, const char* path, int flags, ...), at, path)
}
