#include "base/time.h"
#include <fmt/format.h>
#include <sys/time.h>
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include "base/bytes.h"

namespace base {
std::optional<Seconds> parse_duration(std::string_view text, char default_unit) {
    char unit = default_unit;
    if (!text.empty() && !bytes::is_digit(text.back())) {
        unit = bytes::lower(text.back());
        text.remove_suffix(1);
    }
    if (!text.empty() && text.front() == '+')
        return std::nullopt;
    auto n = bytes::to_int(text);
    if (!n)
        return std::nullopt;
    std::int64_t factor = unit == 's'   ? 1
                          : unit == 'm' ? 60
                          : unit == 'h' ? 3600
                          : unit == 'd' ? 86400
                          : unit == 'w' ? 604800
                                        : 0;
    std::int64_t value = 0;
    if (factor == 0 || __builtin_mul_overflow(*n, factor, &value) || value > INT32_MAX || value < INT32_MIN)
        return std::nullopt;
    return Seconds(value);
}

WallTime wall_now() {
    timeval tv{};
    gettimeofday(&tv, nullptr);
    return {tv.tv_sec, static_cast<std::int32_t>(tv.tv_usec)};
}

double seconds_between(WallTime a, WallTime b) {
    return static_cast<double>(b.seconds - a.seconds) + static_cast<double>(b.microseconds - a.microseconds) / 1e6;
}

std::string rfc5322_date(std::time_t when) {
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static thread_local std::time_t last = -1;  // many messages in one second
    static thread_local std::string text;
    if (when == last)
        return text;
    std::tm t{};
    localtime_r(&when, &t);
    long offset = t.tm_gmtoff / 60;
    text = fmt::format("{}, {:2} {} {:04} {:02}:{:02}:{:02} {}{:02}{:02} ({})", days[t.tm_wday], t.tm_mday,
                       months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec, offset < 0 ? '-' : '+',
                       std::labs(offset) / 60, std::labs(offset) % 60, t.tm_zone);
    last = when;
    return text;
}

std::string delay_text(double seconds, int max_resolution) {
    if (seconds < 0)
        seconds = 0;
    static constexpr double resolutions[] = {1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6};
    double least = resolutions[std::clamp(max_resolution, 0, 6)];
    if (seconds < least / 2)
        return "0";
    int digits = max_resolution;  // two significant digits, never finer than the resolution
    if (seconds >= 0.995)
        digits = seconds >= 9.95 ? 0 : 1;
    else if (seconds >= 0.0995 && max_resolution > 2)
        digits = 2;
    if (digits > max_resolution)
        digits = max_resolution;
    std::string text = fmt::format("{:.{}f}", seconds, digits);
    if (text.find('.') != text.npos) {
        while (text.back() == '0')
            text.pop_back();
        if (text.back() == '.')
            text.pop_back();
    }
    return text;
}
}
