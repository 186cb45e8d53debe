// libFuzzer's entry points around fuzz::one(), and the tools of fuzz.h.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include "fuzz.h"
#include "log/log.h"

// One allocation of more than this is a finding: no decoder has to hold more than the messages that lib/ipc limits to
// 32 MiB.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
    return "max_allocation_size_mb=128:quarantine_size_mb=32:detect_stack_use_after_return=0";
}

namespace fuzz {
void fail(std::string_view what, std::string_view detail) {
    std::fprintf(stderr, "fuzz: does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
    if (!detail.empty())
        std::fprintf(stderr, "fuzz: %.*s\n", static_cast<int>(std::min<std::size_t>(detail.size(), 4000)),
                     detail.data());
    std::abort();
}

void same(std::string_view a, std::string_view b, std::string_view what) {
    if (a == b)
        return;
    std::size_t at = 0;
    while (at < a.size() && at < b.size() && a[at] == b[at])
        ++at;
    auto shown = [&](std::string_view s) {
        std::string out;
        for (unsigned char c : s.substr(at > 40 ? at - 40 : 0, 120)) {
            char hex[8];
            if (c >= ' ' && c < 127)
                out += static_cast<char>(c);
            else {
                std::snprintf(hex, sizeof hex, "\\x%02x", c);
                out += hex;
            }
        }
        return out;
    };
    fail(what, "at byte " + std::to_string(at) + " of " + std::to_string(a.size()) + " and " +
                   std::to_string(b.size()) + ":\n  " + shown(a) + "\n  " + shown(b));
}

namespace {
std::string scratch_path;
void remove_scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(scratch_path, ignored);
}

double cpu_seconds() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

void endless(int) { fail("an input comes to an end"); }
// By CPU time too: on a busy machine the clock says nothing. 0: no limit.
void end_after(time_t cpu_seconds) {
    const itimerval timer{{}, {cpu_seconds, 0}};
    setitimer(ITIMER_PROF, &timer, nullptr);
}
}

const std::string& scratch() {
    if (scratch_path.empty()) {
        char name[64];
        std::snprintf(name, sizeof name, "%s/posthorn-fuzz-XXXXXX",
                      access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        if (!mkdtemp(name))
            fail("mkdtemp", std::strerror(errno));
        scratch_path = name;
        std::atexit(remove_scratch);
    }
    return scratch_path;
}

UniqueFd file_of(std::string_view bytes) {
    static const std::string path = scratch() + "/input";
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0700));
    if (!fd || ::write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
        ::lseek(fd.get(), 0, SEEK_SET) != 0)
        fail("a file cannot be written", std::strerror(errno));
    return fd;
}

std::string write_file(std::string_view name, std::string_view bytes) {
    std::string path = scratch() + "/" + std::string(name);
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd || ::write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
        fail("a file cannot be written", std::strerror(errno));
    return path;
}
}

extern "C" int LLVMFuzzerInitialize(int*, char***);
extern "C" int LLVMFuzzerInitialize(int*, char***) {
    signal(SIGPROF, fuzz::endless);
    maillog::redirect([](maillog::Level, std::string_view, std::string_view, void*) {}, nullptr);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static bool first = true;
    std::string_view bytes(reinterpret_cast<const char*>(data), std::min(size, fuzz::input_limit));
    double start = fuzz::cpu_seconds();
    fuzz::end_after(20);
    fuzz::one(bytes);
    fuzz::end_after(0);
    double took = fuzz::cpu_seconds() - start;
    if (!first && took > fuzz::seconds_limit)
        fuzz::fail("an input is done within the time limit",
                   std::to_string(bytes.size()) + " bytes took " + std::to_string(took) + " s");
    first = false;  // tables, locales … are made with the first
    return 0;
}
