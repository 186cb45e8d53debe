// The numbers of a process's sessions, for the log: what Postfix's process ids are to tools that pair lines by the
// number in brackets. A number is unique among all sessions and processes that live on the host, and names no process:
// its lower 22 bits are the id of this process, which no kernel makes larger (Linux: 4194304), what is above them
// counts the process's sessions from 1.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

namespace server {
class SessionNumbers {
public:
    explicit SessionNumbers(std::int64_t process) : process_(process) {}
    // The lowest that no session has: numbers stay short, and come again as those of processes do. Throws
    // std::bad_alloc.
    std::int64_t take();
    void give_back(std::int64_t number) noexcept;  // take() has made room for it

private:
    static constexpr int process_bits = 22;
    std::int64_t process_, last_ = 0;
    std::vector<std::int64_t> free_{};  // a heap, the lowest first
};

inline std::int64_t SessionNumbers::take() {
    std::int64_t session = last_ + 1;
    if (free_.empty()) {
        if (free_.capacity() < static_cast<std::size_t>(session))
            free_.reserve(static_cast<std::size_t>(session) * 2);
        last_ = session;
    } else {
        std::pop_heap(free_.begin(), free_.end(), std::greater<>());
        session = free_.back();
        free_.pop_back();
    }
    return session << process_bits | process_;
}

inline void SessionNumbers::give_back(std::int64_t number) noexcept {
    free_.push_back(number >> process_bits);
    std::push_heap(free_.begin(), free_.end(), std::greater<>());
}
}
