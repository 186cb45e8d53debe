// What a person at a terminal sees of long work: a line now and then, "postsuper: deferred: 250000 files so far".
#pragma once
#include <unistd.h>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>

namespace postsuper {
class Progress {
public:
    // to: where the lines go; nullptr for none.
    explicit Progress(std::string queue, std::FILE* to = ::isatty(STDERR_FILENO) ? stderr : nullptr,
                      std::chrono::milliseconds every = std::chrono::seconds(2))
        : queue_(std::move(queue)), to_(to), every_(every), next_(Clock::now() + every) {}
    // One file more was looked at.
    void step() {
        if (++files_ % 100 != 0 || !to_ || Clock::now() < next_)
            return;
        std::fprintf(to_, "postsuper: %s: %zu files so far\n", queue_.c_str(), files_);
        next_ = Clock::now() + every_;
    }

private:
    using Clock = std::chrono::steady_clock;
    std::string queue_;
    std::FILE* to_;
    std::chrono::milliseconds every_;
    Clock::time_point next_;
    std::size_t files_ = 0;
};
}
