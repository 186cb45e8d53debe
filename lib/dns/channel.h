// One c-ares channel under a libevent base, or under poll(2) where base is null. For query.cc only.
//
// c-ares calls back into answered(), which fills a cell that the waiting frame shares and wakes its fiber: nothing else
// happens inside c-ares.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include "base/error.h"
#include "dns/system.h"
#include "loop/loop.h"

struct ares_channeldata;

namespace dns {
class Channel {
public:
    Channel(event_base* base, const System& system);
    ~Channel();
    Channel(const Channel&) = delete;
    event_base* base() const { return base_; }
    bool usable() const { return channel_ != nullptr; }
    // Sends one message and waits. An Error is always temporary.
    Result<std::string> ask(const std::string& raw, loop::Deadline deadline);

private:
    struct Cell;
    static void answered(void* context, int status, int timeouts, unsigned char* bytes, int length);
    static void socket_state(void* context, int fd, int readable, int writable);
    static void ready(int fd, short what, void* context);
    void process(int readable, int writable);
    void rearm();
    void wait_in_fiber(const std::shared_ptr<Cell>& cell, loop::Deadline deadline);
    void wait_blocking(const std::shared_ptr<Cell>& cell, loop::Deadline deadline);

    event_base* base_;
    ares_channeldata* channel_ = nullptr;
    event* timer_ = nullptr;
    std::unordered_map<int, event*> sockets_;
};
}
