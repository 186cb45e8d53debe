// How long a client may still take for its content, where smtpd_per_request_deadline says that time is measured for the
// whole of it: what waiting takes is taken off, each byte that comes adds 1/smtpd_min_data_rate seconds, and more than
// smtpd_timeout is never left. Our own work does not count. Without that setting each wait is limited by the stream,
// and nothing here.
#pragma once
#include <algorithm>
#include "conf/params/smtpd.h"
#include "conf/settings.h"
#include "net/stream.h"

namespace smtpd {
class ContentTime {
public:
    ContentTime(const conf::Settings& settings, const net::Stream& stream)
        : settings_(settings), stream_(stream), left_(settings[param::smtpd_timeout]), bytes_(stream.bytes_read()) {}
    // Before a read: its deadline.
    loop::Deadline start() {
        if (!settings_[param::smtpd_per_request_deadline])
            return loop::never;
        started_ = loop::Clock::now();
        return started_ + left_;
    }
    void stop() {
        if (!settings_[param::smtpd_per_request_deadline])
            return;
        left_ -= loop::Clock::now() - started_;
        left_ += std::chrono::microseconds(static_cast<std::int64_t>(stream_.bytes_read() - bytes_) * 1000000 /
                                           settings_[param::smtpd_min_data_rate]);
        bytes_ = stream_.bytes_read();
        left_ = std::min<std::chrono::nanoseconds>(left_, settings_[param::smtpd_timeout]);
    }

private:
    const conf::Settings& settings_;
    const net::Stream& stream_;
    std::chrono::nanoseconds left_;
    loop::Clock::time_point started_{};
    std::uint64_t bytes_;
};
}
