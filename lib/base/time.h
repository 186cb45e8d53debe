// Durations as main.cf writes them, and the clock that delays are counted with.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include "base/error.h"

namespace base {
using Seconds = std::chrono::seconds;
// "300", "5m", "1h30"? No: one number and at most one unit of s m h d w, as postconf(5) has it; without a unit,
// default_unit. Absent where text is malformed or does not fit.
std::optional<Seconds> parse_duration(std::string_view text, char default_unit = 's');
// Wall-clock time with microseconds, for arrival times and delays=.
struct WallTime {
    std::int64_t seconds = 0;
    std::int32_t microseconds = 0;
};
WallTime wall_now();
double seconds_between(WallTime earlier, WallTime later);
// RFC 5322 date-time in local time: "Sun, 22 Nov 2026 11:42:15 +0000 (UTC)".
std::string rfc5322_date(std::time_t when);
// A delay as the status line shows it: at most delay_max_resolution digits behind the point, two significant digits for
// small ones: "0.04", "1.2", "12".
std::string delay_text(double seconds, int max_resolution = 2);
}
