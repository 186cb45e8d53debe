// How long a client may still take for its content, where smtpd_per_request_deadline says that time is measured for the
// whole of it: what waiting takes is taken off, each byte that comes adds 1/smtpd_min_data_rate seconds, and more than
// smtpd_timeout is never left. Our own work does not count. Without that setting each wait is limited by the stream,
// and nothing here.
#pragma once
#include <algorithm>
#include "net/stream.h"
#include "service.h"

namespace smtpd {
class ContentTime {
public:
    ContentTime(const Limits& limits, const net::Stream& stream)
        : limits_(limits), stream_(stream), left_(limits.timeout), bytes_(stream.bytes_read()) {}
    // Before a read: its deadline.
    loop::Deadline start() {
        if (!limits_.request_deadline)
            return loop::never;
        started_ = loop::Clock::now();
        return started_ + left_;
    }
    void stop() {
        if (!limits_.request_deadline)
            return;
        left_ -= loop::Clock::now() - started_;
        left_ += std::chrono::microseconds(static_cast<std::int64_t>(stream_.bytes_read() - bytes_) * 1000000 /
                                           limits_.minimum_rate);
        bytes_ = stream_.bytes_read();
        left_ = std::min<std::chrono::nanoseconds>(left_, limits_.timeout);
    }

private:
    const Limits& limits_;
    const net::Stream& stream_;
    std::chrono::nanoseconds left_;
    loop::Clock::time_point started_{};
    std::uint64_t bytes_;
};
}
