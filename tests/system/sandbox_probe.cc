// A shared object for LD_PRELOAD, in tests only: at the moment when a daemon loads its system-call filter, it tries
// what daemons have no business with, and writes down what came of it. Calls that are to end the process are tried by
// children that load the same filter; where the queue directory holds a file "intruder-PROGRAM", by the process itself
// as well.
//
// The lines "PROGRAM WHAT RESULT" go into a file that all processes map (environment: SANDBOX_PROBE; 1 MiB, it begins
// with the length of what is there): descriptors that a daemon was given besides its own are closed. Without the file
// nothing happens.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {
constexpr const char* services[] = {"private/local",  "private/virtual", "private/pipe",    "private/smtp",
                                    "private/lmtp",   "private/error",   "private/discard", "private/bounce",
                                    "private/tlsmgr", "private/anvil",   "private/mtasts"};
constexpr std::size_t size = 1 << 20;
constexpr int stray = 100;  // a descriptor that master leaves open by mistake
std::atomic<std::uint64_t>* used = nullptr;

[[gnu::constructor]] void map_record() {
    const char* path = std::getenv("SANDBOX_PROBE");
    int fd = path ? ::open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (at != MAP_FAILED)
        used = static_cast<std::atomic<std::uint64_t>*>(at);
}

void note(const char* what, const char* result) {
    char line[200];
    int n = std::snprintf(line, sizeof line, "%s %s %s\n", program_invocation_short_name, what, result);
    std::uint64_t at = used->fetch_add(static_cast<std::uint64_t>(n));
    if (at + sizeof line + sizeof *used < size)
        std::memcpy(reinterpret_cast<char*>(used + 1) + at, line, static_cast<std::size_t>(n));
}
// What a call returned: "ok", the number (where it counts), or the error's name.
void note_call(const char* what, long result) { note(what, result >= 0 ? "ok" : strerrorname_np(errno)); }
void note_number(const char* what, long number) {
    char text[30];
    std::snprintf(text, sizeof text, "%ld", number);
    note(what, text);
}
void note_opened(const char* what, long fd) {
    note_call(what, fd);
    if (fd >= 0)
        ::close(static_cast<int>(fd));
}

template <class... Arguments> long real_syscall(long number, Arguments... arguments) {
    static const auto real = reinterpret_cast<long (*)(long, ...)>(::dlsym(RTLD_NEXT, "syscall"));
    return real(number, arguments...);
}

// Code that comes from no file.
void try_memory() {
    constexpr std::size_t page = 4096;
    auto map = [&](int rights) { return ::mmap(nullptr, page, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); };
    auto mapped = [](void* at) { return at == MAP_FAILED ? -1L : 0L; };
    note_call("write-and-run", mapped(map(PROT_READ | PROT_WRITE | PROT_EXEC)));
    note_call("run-nothing", mapped(map(PROT_READ | PROT_EXEC)));
    void* written = map(PROT_READ | PROT_WRITE);
    note_call("memory", mapped(written));
    note_call("then-run", ::mprotect(written, page, PROT_READ | PROT_EXEC));
    note_call("then-run-key", real_syscall(SYS_pkey_mprotect, written, page, PROT_READ | PROT_EXEC, -1));
    note_call("then-read", ::mprotect(written, page, PROT_READ));
    note("library", ::dlopen("libanl.so.1", RTLD_NOW | RTLD_LOCAL) ? "ok" : "no");
}

void try_harmless() {
    note_opened("packets", ::socket(AF_PACKET, SOCK_RAW, 0));
    note_opened("raw", ::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
    note_opened("inet", ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    note_opened("unix", ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    note_opened("shadow", ::open("/etc/shadow", O_RDONLY));
    note_opened("read", ::open("probe", O_RDONLY | O_CLOEXEC));
    note_opened("mark", ::open("probe", O_RDWR | O_CLOEXEC));
    char own[64];
    std::snprintf(own, sizeof own, "active/probe-%ld", static_cast<long>(::getpid()));
    note_opened("make", ::open(own, O_RDWR | O_CREAT, 0600));
    note_call("remove", ::unlink(own));
    note_call("fork", real_syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
    note_call("newer", real_syscall(SYS_clone3, nullptr, 0));
    note_call("root", ::setuid(0));
    note_call("listen", ::listen(-1, 1));
    note_call("signal", ::kill(1, 0));
    note_call("own-signal", ::kill(::getpid(), 0));
    note_call("type", ::ioctl(0, TIOCSTI, "x"));
    note_call("dump-again", ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
    note_number("dumpable", ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    note_number("no-new-rights", ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    rlimit core{};
    ::getrlimit(RLIMIT_CORE, &core);
    note_number("core", static_cast<long>(core.rlim_cur == 0 ? 0 : 1));
    note_call("stray", ::fcntl(stray, F_GETFD));
    // The kernel's signal to another process when something comes in at a descriptor; what is allowed beside it.
    int pair[2] = {-1, -1};
    (void)::socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    note_call("owner", ::fcntl(pair[0], F_SETOWN, 1));
    f_owner_ex other{F_OWNER_PID, 1};
    note_call("owner-ex", ::fcntl(pair[0], F_SETOWN_EX, &other));
    note_call("signal-of-io", ::fcntl(pair[0], F_SETSIG, SIGKILL));
    note_call("async", ::fcntl(pair[0], F_SETFL, O_NONBLOCK | O_ASYNC));
    int yes = 1;
    note_call("async-ioctl", ::ioctl(pair[0], FIOASYNC, &yes));
    note_call("nonblocking", ::fcntl(pair[0], F_SETFL, O_NONBLOCK));
    note_opened("copy", ::fcntl(pair[0], F_DUPFD_CLOEXEC, 3));
    for (int fd : pair)
        ::close(fd);
    try_memory();
    for (const char* path : services) {  // who is let in is in the log
        int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        std::strncpy(to.sun_path, path, sizeof to.sun_path - 1);
        if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
            note(path, strerrorname_np(errno));
        ::close(fd);
    }
}

struct Fatal {
    const char* name;
    long number;
};
constexpr Fatal fatal_calls[] = {{"execve", SYS_execve},
                                 {"ptrace", SYS_ptrace},
                                 {"mount", SYS_mount},
                                 {"bpf", SYS_bpf},
                                 {"unshare", SYS_unshare},
                                 {"chroot", SYS_chroot},
                                 {"process_vm_readv", SYS_process_vm_readv},
                                 {"kexec_load", SYS_kexec_load}};

long load(unsigned long flags, void* program) {
    return real_syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
}

void try_fatal(void* program, const Fatal& call) {
    pid_t child = ::fork();
    if (child == 0) {
        if (load(0, program) != 0)
            ::_exit(2);
        real_syscall(call.number, nullptr, nullptr, nullptr, nullptr, nullptr);  // would fail, harmlessly
        real_syscall(SYS_exit_group, 1);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    note(call.name, WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? "killed" : "went-on");
}

long load_and_try(unsigned long flags, void* program) {
    for (const Fatal& call : fatal_calls)
        try_fatal(program, call);
    long result = load(flags, program);
    note_number("load", result);
    try_harmless();
    note("end", "ok");
    char intruder[64];
    std::snprintf(intruder, sizeof intruder, "intruder-%s", program_invocation_short_name);
    if (::access(intruder, F_OK) == 0)
        ::execl("/bin/sh", "sh", nullptr);
    return result;
}
}

extern "C" long syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    long a[6];
    for (long& argument : a)
        argument = va_arg(list, long);
    va_end(list);
    if (used && number == SYS_seccomp && a[0] == SECCOMP_SET_MODE_FILTER)
        return load_and_try(static_cast<unsigned long>(a[1]), reinterpret_cast<void*>(a[2]));
    return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

extern "C" int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                           const posix_spawnattr_t* attributes, char* const argv[], char* const envp[]) {
    auto real = reinterpret_cast<decltype(&posix_spawn)>(::dlsym(RTLD_NEXT, "posix_spawn"));
    if (used && std::strcmp(program_invocation_short_name, "master") == 0 && ::fcntl(stray, F_GETFD) < 0)
        (void)::dup2(0, stray);
    return real(pid, path, actions, attributes, argv, envp);
}
