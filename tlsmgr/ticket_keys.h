// The keys that seal session tickets, for all processes. A new one every half session timeout; three are known at a
// time, so that a ticket can be opened as long as its session may be resumed. They live in this process's memory only.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include "ipc/tlsmgr.h"

namespace tlsmgr {
class TicketKeys {
public:
    static constexpr std::size_t known_max = 3;
    explicit TicketKeys(std::chrono::seconds session_timeout)
        : interval_(std::max<std::int64_t>(1, session_timeout.count() / 2)) {}
    // Newest first; makes a new one where the newest is too old. now: seconds of a steady clock.
    ipc::TlsTicketKeysReply keys(std::int64_t now);

private:
    struct Key {
        std::int64_t made;
        ipc::TlsTicketKey key;
    };
    std::int64_t interval_;
    std::deque<Key> keys_;
};
}
