// A name service that does not answer: what waits for it, and what does not. getpwnam_r(3) is this program's own here.
#include "table/name_service.h"
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <condition_variable>
#include <mutex>
#include "loop/loop.h"

namespace {
std::mutex lock;
std::condition_variable changed;
int asked = 0;
bool silent = true;
}

extern "C" int getpwnam_r(const char* name, passwd* entry, char* buffer, size_t size, passwd** found) {
    if (std::string_view(name) == "slow") {
        std::unique_lock held(lock);
        ++asked;
        changed.wait(held, [] { return !silent; });
        *found = nullptr;
        return 0;
    }
    using Function = int (*)(const char*, passwd*, char*, size_t, passwd**);
    static const auto original = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getpwnam_r"));
    return original(name, entry, buffer, size, found);
}

// More sessions than the pool has threads ask; another session's disk work is done meanwhile, and all are answered in
// the end.
TEST(NameService, SilenceLeavesThePoolToOthers) {
    constexpr int sessions = 40;
    int answered = 0, jobs = 0;
    loop::Loop fibers;
    for (int i = 0; i < sessions; ++i)
        fibers.spawn([&] {
            auto found = table::ask_name_service(false, "slow");
            answered += found && !*found;
        });
    fibers.spawn([&] {
        for (int i = 0; i < 20; ++i) {
            loop::offload([] {});
            ++jobs;
        }
        EXPECT_EQ(answered, 0);
        std::lock_guard held(lock);
        EXPECT_LT(asked, 16);
        silent = false;
        changed.notify_all();
    });
    fibers.run();
    EXPECT_EQ(jobs, 20);
    EXPECT_EQ(answered, sessions);
    EXPECT_EQ(asked, sessions);
}
