#include "base/error.h"
#include <cstring>

std::string EnhancedStatus::text() const {
    return std::to_string(klass) + '.' + std::to_string(subject) + '.' + std::to_string(detail);
}

std::size_t EnhancedStatus::parse(std::string_view text, EnhancedStatus& out) {
    if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5') || text[1] != '.')
        return 0;
    std::size_t at = 2;
    auto number = [&](std::uint16_t& value) {
        std::size_t start = at;
        unsigned n = 0;
        while (at < text.size() && at - start < 3 && text[at] >= '0' && text[at] <= '9')
            n = n * 10 + unsigned(text[at++] - '0');
        value = static_cast<std::uint16_t>(n);
        return at > start;
    };
    EnhancedStatus s;
    s.klass = static_cast<std::uint8_t>(text[0] - '0');
    if (!number(s.subject) || at >= text.size() || text[at++] != '.' || !number(s.detail))
        return 0;
    if (at < text.size() && text[at] != ' ' && text[at] != '\t' && text[at] != '\r' && text[at] != '\n')
        return 0;
    out = s;
    return at;
}

Failure temporary(std::string reason, EnhancedStatus status) { return Failure(Error{status, std::move(reason), 0}); }
Failure permanent(std::string reason, EnhancedStatus status) { return Failure(Error{status, std::move(reason), 0}); }

Failure system_error(std::string_view what, int err) {
    return Failure(Error{{4, 3, 0}, std::string(what) + ": " + errno_text(err), err});
}

std::string errno_text(int err) {
    char buffer[256] = "";
#ifdef __GLIBC__
    return strerror_r(err, buffer, sizeof buffer);
#else
    return strerror_r(err, buffer, sizeof buffer) == 0 ? buffer : "unknown error";
#endif
}
