// Makes the system-call filters while the programs are built: BPF programs, one for each set of groups that a daemon
// may name (lib/server/sandbox.h; one with `commands` has no filter), as C++ on standard output. At the start of a
// daemon libseccomp would take 1.7 ms of processor time for that.
//
// With an argument it makes them for that architecture (aarch64, x86 …; of this machine's byte order), to see that they
// can be made. The lists are names, so that one list serves every architecture: a name that libseccomp does not have is
// passed over. Their order says nothing: libseccomp makes a binary tree of the numbers.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "server/filters.h"

namespace {
namespace need = server::need;
using Names = std::initializer_list<const char*>;

// --- every daemon
constexpr Names everywhere = {
    // its descriptors
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2", "lseek",
    "_llseek", "close", "close_range", "dup", "dup2", "dup3", "flock", "pipe", "pipe2", "eventfd", "eventfd2",
    "signalfd", "signalfd4", "sendfile", "sendfile64", "splice", "tee", "fadvise64", "fadvise64_64", "arm_fadvise64_64",
    "readahead", "poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64", "epoll_create",
    "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    // connections that exist; what socket() may make is said below
    "accept", "accept4", "connect", "getsockname", "getpeername", "getsockopt", "setsockopt", "shutdown", "send",
    "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64",
    // the state of files
    "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64", "newfstatat", "fstatat64", "statx", "access", "faccessat",
    "faccessat2", "readlink", "readlinkat", "getcwd", "umask",
    // memory; what mmap and mprotect may make is said below
    "brk", "munmap", "mremap", "madvise", "mincore", "msync", "membarrier", "pkey_alloc", "pkey_free", "cacheflush",
    "riscv_flush_icache", "riscv_hwprobe",
    // threads and signals
    "futex", "futex_time64", "futex_waitv", "rseq", "set_robust_list", "get_robust_list", "set_tid_address",
    "set_thread_area", "set_tls", "arch_prctl", "sched_yield", "sched_getaffinity", "sched_getparam",
    "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min", "getcpu", "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "rt_sigpending", "rt_sigtimedwait", "rt_sigtimedwait_time64",
    "sigaction", "sigprocmask", "sigreturn", "sigsuspend", "sigpending", "sigaltstack", "pause", "restart_syscall",
    "exit", "exit_group",
    // time
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "clock_nanosleep",
    "clock_nanosleep_time64", "nanosleep", "gettimeofday", "time", "times", "alarm", "getitimer", "setitimer",
    "timer_create", "timer_settime", "timer_settime64", "timer_gettime", "timer_gettime64", "timer_getoverrun",
    "timer_delete", "timerfd_create", "timerfd_settime", "timerfd_settime64", "timerfd_gettime", "timerfd_gettime64",
    // who and where it is
    "getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups",
    "getuid32", "geteuid32", "getgid32", "getegid32", "getresuid32", "getresgid32", "getgroups32", "getpgrp", "getpgid",
    "getsid", "getrlimit", "ugetrlimit", "setrlimit", "getrusage", "uname", "sysinfo", "getrandom"};

// --- groups
constexpr Names files_read_names = {"getdents",          "getdents64",      "statfs", "statfs64",     "fstatfs",
                                    "fstatfs64",         "chdir",           "fchdir", "inotify_init", "inotify_init1",
                                    "inotify_add_watch", "inotify_rm_watch"};
constexpr Names files_mark_names = {
    "fsync", "fdatasync", "sync_file_range", "sync_file_range2", "arm_sync_file_range", "ftruncate", "ftruncate64"};
constexpr Names files_write_names = {
    "creat",           "mkdir",     "mkdirat",   "rmdir",     "unlink",     "unlinkat",        "rename",
    "renameat",        "renameat2", "link",      "linkat",    "symlink",    "symlinkat",       "chmod",
    "fchmod",          "fchmodat",  "fchmodat2", "truncate",  "truncate64", "fallocate",       "syncfs",
    "copy_file_range", "utime",     "utimes",    "futimesat", "utimensat",  "utimensat_time64"};
constexpr Names network_names = {"bind"};
constexpr Names users_rights_names = {"setuid",     "setgid",     "setreuid",    "setregid",    "setresuid",
                                      "setresgid",  "setfsuid",   "setfsgid",    "setgroups",   "setuid32",
                                      "setgid32",   "setreuid32", "setregid32",  "setresuid32", "setresgid32",
                                      "setfsuid32", "setfsgid32", "setgroups32", "chown",       "fchown",
                                      "lchown",     "fchownat",   "chown32",     "fchown32",    "lchown32"};

// --- known, and needed by none
constexpr Names never = {"listen", "fork", "vfork", "wait4", "waitid", "waitpid", "setsid", "setpgid", "capset",
                         "setpriority", "nice", "sched_setscheduler", "sched_setparam", "sched_setattr", "setxattr",
                         "lsetxattr", "fsetxattr", "removexattr", "shmget", "semget", "msgget", "memfd_create",
                         "fanotify_init",
                         // libraries of Kerberos and systemd try these, and do without
                         "add_key", "keyctl", "request_key", "kcmp"};
// --- what only an intruder does
constexpr Names fatal_names = {"execve",
                               "execveat",
                               "ptrace",
                               "process_vm_readv",
                               "process_vm_writev",
                               "pidfd_getfd",
                               "chroot",
                               "pivot_root",
                               "mknod",
                               "mknodat",
                               "mount",
                               "umount",
                               "umount2",
                               "move_mount",
                               "open_tree",
                               "fsopen",
                               "fsconfig",
                               "fsmount",
                               "fspick",
                               "mount_setattr",
                               "unshare",
                               "setns",
                               "bpf",
                               "perf_event_open",
                               "userfaultfd",
                               "init_module",
                               "finit_module",
                               "delete_module",
                               "kexec_load",
                               "kexec_file_load",
                               "reboot",
                               "swapon",
                               "swapoff",
                               "quotactl",
                               "acct",
                               "iopl",
                               "ioperm",
                               "open_by_handle_at",
                               "syslog",
                               "settimeofday",
                               "clock_settime",
                               "clock_settime64",
                               "adjtimex",
                               "clock_adjtime",
                               "sethostname",
                               "setdomainname"};

constexpr std::uint32_t denied = SCMP_ACT_ERRNO(EPERM);
#if defined(__s390__) || defined(__CRIS__)
constexpr unsigned clone_flags = 1;  // which argument of clone(2)
#else
constexpr unsigned clone_flags = 0;
#endif

class Filter {
public:
    explicit Filter(std::uint32_t architecture) : context_(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), seccomp_release) {
        if (!context_) {
            problem_ = ENOMEM;
            return;
        }
        if (architecture != seccomp_arch_native()) {
            (void)seccomp_arch_remove(context_.get(), SCMP_ARCH_NATIVE);
            problem_ = -seccomp_arch_add(context_.get(), architecture);
        }
        for (auto [attribute, value] :
             {std::pair{SCMP_FLTATR_CTL_OPTIMIZE, 2u}, {SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS}})
            (void)seccomp_attr_set(context_.get(), attribute, value);  // an older library: without it
    }
    void add(std::uint32_t action, Names names) {
        for (const char* name : names)
            add(action, name, {});
    }
    // Only where all conditions hold; the same call may stand in several such rules.
    void add(std::uint32_t action, const char* name, std::initializer_list<scmp_arg_cmp> conditions) {
        int number = seccomp_syscall_resolve_name(name);
        if (number == __NR_SCMP_ERROR || problem_ != 0)
            return;
        problem_ = -seccomp_rule_add_array(context_.get(), action, number, static_cast<unsigned>(conditions.size()),
                                           conditions.begin());
        // Where socketcall(2) is another way to socket(2) (x86, s390x, ppc64le), its arguments cannot be seen: the
        // first rule stays.
        if (problem_ == EEXIST)
            problem_ = 0;
    }
    // The program; empty, and errno set, when it cannot be made.
    std::vector<sock_filter> program() {
        int fd = problem_ == 0 ? memfd_create("filter", 0) : -1;
        if (fd >= 0)
            problem_ = -seccomp_export_bpf(context_.get(), fd);
        off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
        std::vector<sock_filter> made(static_cast<std::size_t>(size) / sizeof(sock_filter));
        if (fd >= 0 && pread(fd, made.data(), static_cast<std::size_t>(size), 0) != size)
            problem_ = EIO;
        if (fd >= 0)
            close(fd);
        if (problem_ != 0) {
            errno = problem_;
            made.clear();
        }
        return made;
    }

private:
    std::unique_ptr<void, void (*)(void*)> context_;
    int problem_ = 0;
};

// argument & mask == value
constexpr scmp_arg_cmp bits(unsigned argument, std::uint64_t mask, std::uint64_t value) {
    return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}
// argument == value: in 32 bits, whatever the register holds above
constexpr scmp_arg_cmp is(unsigned argument, std::uint64_t value) { return bits(argument, 0xffffffff, value); }

void add_files(Filter& filter, need::Set needs) {
    auto has = [&](need::Set group) { return (needs & group) == group; };
    filter.add(has(need::files_read) ? SCMP_ACT_ALLOW : denied, files_read_names);
    filter.add(has(need::files_mark) ? SCMP_ACT_ALLOW : denied, files_mark_names);
    filter.add(has(need::files_write) ? SCMP_ACT_ALLOW : denied, files_write_names);
    if (has(need::files_write))
        return filter.add(SCMP_ACT_ALLOW, {"open", "openat"});
    if (!has(need::files_read))
        return filter.add(denied, {"open", "openat"});
    for (auto [name, flags] : {std::pair{"open", 1u}, {"openat", 2u}}) {
        if (has(need::files_mark)) {
            filter.add(SCMP_ACT_ALLOW, name, {bits(flags, O_CREAT | O_TRUNC, 0)});
            filter.add(denied, name, {bits(flags, O_CREAT, O_CREAT)});
        } else {
            filter.add(SCMP_ACT_ALLOW, name, {bits(flags, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)});
            filter.add(denied, name, {bits(flags, O_ACCMODE, O_WRONLY)});
            filter.add(denied, name, {bits(flags, O_ACCMODE, O_RDWR)});
        }
    }
}

void add_sockets(Filter& filter, bool network) {
    for (const char* name : {"socket", "socketpair"})
        filter.add(SCMP_ACT_ALLOW, name, {is(0, AF_UNIX)});
    constexpr unsigned type = 0xf;  // without SOCK_CLOEXEC and SOCK_NONBLOCK
    for (unsigned family : {AF_INET, AF_INET6}) {
        if (!network)
            filter.add(denied, "socket", {is(0, family)});
        else
            for (unsigned kind : {SOCK_STREAM, SOCK_DGRAM})
                filter.add(SCMP_ACT_ALLOW, "socket", {is(0, family), bits(1, type, kind)});
    }
    // The resolver asks which addresses this host has.
    if (network)
        filter.add(SCMP_ACT_ALLOW, "socket", {is(0, AF_NETLINK), is(2, NETLINK_ROUTE)});
    filter.add(network ? SCMP_ACT_ALLOW : denied, network_names);
}

// Threads, but no processes; signals to itself alone.
void add_processes(Filter& filter) {
    filter.add(SCMP_ACT_ALLOW, "clone", {bits(clone_flags, CLONE_THREAD, CLONE_THREAD)});
    filter.add(denied, "clone", {bits(clone_flags, CLONE_THREAD, 0)});
    for (const char* name : {"kill", "tgkill"})
        filter.add(SCMP_ACT_ALLOW, name, {is(0, server::own_process)});
    filter.add(SCMP_ACT_ALLOW, "prlimit64", {is(0, 0)});
    for (unsigned what : {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_SET_VMA})
        filter.add(SCMP_ACT_ALLOW, "prctl", {is(0, what)});
}

// Locks, flags and copies of descriptors. Not their owner (F_SETOWN, F_SETSIG, O_ASYNC): by that the kernel sends a
// signal of one's choice to any process of the same user.
void add_fcntl(Filter& filter) {
    for (const char* name : {"fcntl", "fcntl64"}) {
        for (unsigned what : {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_GETLK, F_SETLK, F_SETLKW,
                              F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_GETPIPE_SZ, F_GET_SEALS})
            filter.add(SCMP_ACT_ALLOW, name, {is(1, what)});
        for (unsigned what : {12u, 13u, 14u})
            filter.add(SCMP_ACT_ALLOW, name, {is(1, what)});  // F_GETLK64 … of 32 bits
        filter.add(SCMP_ACT_ALLOW, name, {is(1, F_SETFL), bits(2, O_ASYNC, 0)});
        filter.add(denied, name, {is(1, F_SETFL), bits(2, O_ASYNC, O_ASYNC)});
        for (unsigned what : {F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY})
            filter.add(denied, name, {is(1, what)});
    }
}

// What was written to memory is never executed: what is to be code comes out of a file, as libraries do. (Code may be
// made data, for good. Where the kernel takes mmap's arguments in memory, mprotect alone is watched.) PCRE2 compiles
// patterns to code when tables are opened, before this filter is there, and keeps those pages as they are; for what is
// opened later it falls back on its interpreter.
void add_memory(Filter& filter, std::uint32_t architecture) {
    // There mmap(2) passes its arguments in memory, where they cannot be seen.
    const bool hidden =
        architecture == SCMP_ARCH_X86 || architecture == SCMP_ARCH_S390 || architecture == SCMP_ARCH_S390X;
    if (hidden)
        filter.add(SCMP_ACT_ALLOW, "mmap", {});
    for (const char* name : {"mmap", "mmap2"}) {
        if (hidden && std::string_view(name) == "mmap")
            continue;
        filter.add(SCMP_ACT_ALLOW, name, {bits(2, PROT_EXEC, 0)});
        filter.add(SCMP_ACT_ALLOW, name, {bits(2, PROT_EXEC | PROT_WRITE, PROT_EXEC), bits(3, MAP_ANONYMOUS, 0)});
        filter.add(denied, name, {bits(2, PROT_EXEC | PROT_WRITE, PROT_EXEC | PROT_WRITE)});
        filter.add(denied, name, {bits(2, PROT_EXEC, PROT_EXEC), bits(3, MAP_ANONYMOUS, MAP_ANONYMOUS)});
    }
    for (const char* name : {"mprotect", "pkey_mprotect"}) {
        filter.add(SCMP_ACT_ALLOW, name, {bits(2, PROT_EXEC, 0)});
        filter.add(denied, name, {bits(2, PROT_EXEC, PROT_EXEC)});
    }
}

// What libraries ask of sockets and files; FIONREAD also of pipes.
void add_ioctl(Filter& filter) {
    for (unsigned long what : {FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, TCGETS, SIOCGIFCONF, SIOCGIFNAME, SIOCGIFINDEX,
                               SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFNETMASK})
        filter.add(SCMP_ACT_ALLOW, "ioctl", {is(1, what)});
}

std::vector<sock_filter> compile(need::Set needs, std::uint32_t architecture) {
    Filter filter(architecture);
    filter.add(SCMP_ACT_ALLOW, everywhere);
    filter.add(denied, never);
    filter.add(SCMP_ACT_KILL_PROCESS, fatal_names);
    add_files(filter, needs);
    add_sockets(filter, needs & need::network);
    add_processes(filter);
    add_fcntl(filter);
    add_memory(filter, architecture);
    add_ioctl(filter);
    filter.add(needs & need::users_rights ? SCMP_ACT_ALLOW : denied, users_rights_names);
    return filter.program();
}
}

int main(int argc, char** argv) {
    std::uint32_t architecture = argc > 1 ? seccomp_arch_resolve_name(argv[1]) : seccomp_arch_native();
    if (architecture == 0) {
        std::fprintf(stderr, "unknown architecture\n");
        return 1;
    }
    std::printf(
        "// Made by cmake/sandbox_filters.cc.\n#include \"server/filters.h\"\n\nnamespace server {\nnamespace {\n");
    std::string all;
    for (need::Set files : {need::nothing_more, need::files_read, need::files_mark, need::files_write})
        for (need::Set network : {need::nothing_more, need::network})
            for (need::Set rights : {need::nothing_more, need::users_rights}) {
                const need::Set needs = files | network | rights;
                std::vector<sock_filter> program = compile(needs, architecture);
                if (std::none_of(program.begin(), program.end(), server::asks_own_process)) {
                    std::fprintf(stderr, "the filter for the needs %u cannot be made: %s\n", needs,
                                 std::strerror(errno));
                    return 1;
                }
                std::printf("constexpr sock_filter filter_%u[] = {", needs);
                for (const sock_filter& i : program)
                    std::printf("{%u,%u,%u,%u},", i.code, i.jt, i.jf, i.k);
                std::printf("};\n");
                all += "{" + std::to_string(needs) + ", filter_" + std::to_string(needs) + "}, ";
            }
    std::printf("}\nconst std::initializer_list<CompiledFilter> compiled_filters = {%s};\n}\n", all.c_str());
    return 0;
}
