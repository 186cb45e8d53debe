#include "mail/queue_id.h"
#include <array>
#include "base/bytes.h"

namespace mail {
namespace {
constexpr std::string_view digits52 =
    "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";  // no vowels: no words by accident
constexpr std::size_t seconds_digits = 6, microseconds_digits = 4;
constexpr char inode_mark = 'z';  // the 52nd digit: no inode in base 51 holds it

std::string encode(std::uint64_t value, unsigned base, std::size_t width) {
    std::string reversed;
    for (; value != 0 || reversed.empty(); value /= base)
        reversed += digits52[value % base];
    while (reversed.size() < width)
        reversed += digits52[0];
    return {reversed.rbegin(), reversed.rend()};
}

std::optional<std::uint64_t> decode(std::string_view text, unsigned base) {
    if (text.empty())
        return {};
    std::uint64_t value = 0;
    for (char c : text) {
        const std::size_t digit = digits52.find(c);
        if (digit >= base)
            return {};
        if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value))
            return {};
    }
    return value;
}

std::string hex(std::uint64_t value, std::size_t width) {
    std::string reversed;
    for (; value != 0 || reversed.empty(); value /= 16)
        reversed += "0123456789ABCDEF"[value % 16];
    while (reversed.size() < width)
        reversed += '0';
    return {reversed.rbegin(), reversed.rend()};
}

std::optional<std::uint64_t> unhex(std::string_view text) {
    if (text.empty() || text.size() > 16)
        return {};
    std::uint64_t value = 0;
    for (char c : text) {
        const std::size_t digit = std::string_view("0123456789ABCDEF").find(c);
        if (digit == std::string_view::npos)
            return {};
        value = value * 16 + digit;
    }
    return value;
}

struct LongParts {
    std::uint64_t seconds, microseconds, inode;
};

std::optional<LongParts> long_parts(std::string_view text) {
    const std::size_t mark = text.rfind(inode_mark);
    if (mark == std::string_view::npos || mark < seconds_digits + microseconds_digits)
        return {};
    const auto inode = decode(text.substr(mark + 1), 51);
    const auto microseconds = decode(text.substr(mark - microseconds_digits, microseconds_digits), 52);
    const auto seconds = decode(text.substr(0, mark - microseconds_digits), 52);
    if (!inode || !microseconds || !seconds || *microseconds > 999'999 || *seconds > INT64_MAX)
        return {};
    return LongParts{*seconds, *microseconds, *inode};
}
}

Result<QueueId> QueueId::parse(std::string_view text) {
    if (text.empty() || text.size() > length_max)
        return permanent("bad length of queue id", {5, 5, 4});
    for (char c : text)
        if (!bytes::is_alnum(c))
            return permanent("bad character in queue id", {5, 5, 4});
    return QueueId(std::string(text));
}

QueueId QueueId::make(base::WallTime now, std::uint64_t inode, bool long_form) {
    const auto seconds = static_cast<std::uint64_t>(now.seconds);
    const auto microseconds = static_cast<std::uint64_t>(now.microseconds);
    if (!long_form)
        return QueueId(hex(microseconds, 5) + hex(inode, 1));
    return QueueId(encode(seconds, 52, seconds_digits) + encode(microseconds, 52, microseconds_digits) + inode_mark +
                   encode(inode, 51, 1));
}

bool QueueId::long_form() const { return long_parts(text_).has_value(); }

std::optional<base::WallTime> QueueId::time() const {
    const auto parts = long_parts(text_);
    if (!parts)
        return {};
    return base::WallTime{static_cast<std::int64_t>(parts->seconds), static_cast<std::int32_t>(parts->microseconds)};
}

std::optional<std::uint64_t> QueueId::inode() const {
    if (const auto parts = long_parts(text_))
        return parts->inode;
    return text_.size() > 5 ? unhex(std::string_view(text_).substr(5)) : std::nullopt;
}

std::string QueueId::hash_text() const {
    if (const auto parts = long_parts(text_))
        return hex(parts->microseconds, 5);
    return text_;
}

std::string QueueId::hash_directories(int depth) const {
    const std::string by = hash_text();
    std::string path;
    for (int i = 0; i < depth; ++i) {
        path += static_cast<std::size_t>(i) < by.size() ? by[i] : '_';
        path += '/';
    }
    return path;
}
}
