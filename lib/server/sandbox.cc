// See sandbox.h. The filters are made while the programs are built: cmake/sandbox_filters.cc has the calls of each
// group.
#include "server/sandbox.h"
#include <sys/resource.h>
#include <unistd.h>
#include <cerrno>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#ifdef POSTHORN_SECCOMP
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <algorithm>
#include <vector>
#include "server/filters.h"
#endif

namespace server {
void forbid_core_files() {
    rlimit none{0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // the limit alone does not hold for cores that go to a program
#endif
}

// A sanitizer makes calls of its own that no list foresees (ptrace among them): such a build, for tests, has no
// filters.
#ifndef __has_feature
#define __has_feature(name) 0  // g++, which says it by the first two
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) ||               \
    __has_feature(thread_sanitizer)
[[maybe_unused]] constexpr bool built_with_sanitizer = true;
#else
[[maybe_unused]] constexpr bool built_with_sanitizer = false;
#endif

Result<void> forbid_new_rights() {
#ifdef __linux__
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return system_error("no_new_privs", errno);
#endif
    return {};
}

#ifdef POSTHORN_SECCOMP
Result<void> load_filter(need::Set needs) {
    if (built_with_sanitizer || !sandbox_problem().empty())
        return {};  // master has said so
    auto made = std::find_if(compiled_filters.begin(), compiled_filters.end(),
                             [&](const CompiledFilter& f) { return f.needs == needs; });
    if (made == compiled_filters.end())
        return permanent("there is no system-call filter for these needs");
    std::vector<sock_filter> program(made->program.begin(), made->program.end());
    for (sock_filter& i : program)
        if (asks_own_process(i))
            i.k = static_cast<std::uint32_t>(getpid());
    sock_fprog all{static_cast<unsigned short>(program.size()), program.data()};
    // SPEC_ALLOW: what runs here is our own code; before Linux 5.16 each call and return would be slower without it.
    // A positive answer is a thread that could not be brought in.
    if (long r = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                           SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &all);
        r != 0)
        return system_error("load the system-call filter", r < 0 ? errno : EBUSY);
    return {};
}

std::string sandbox_problem() {
    if (built_with_sanitizer || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, nullptr, 0, 0) == 0 || errno == EFAULT)
        return "";
    return "this kernel has no seccomp filters: " + errno_text(errno);
}
#else
Result<void> load_filter(need::Set) { return {}; }
std::string sandbox_problem() { return "this program was built without libseccomp"; }
#endif
}
