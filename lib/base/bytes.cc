#include "base/bytes.h"
#include <openssl/evp.h>
#include <algorithm>
#include <charconv>

namespace bytes {
std::string lowered(std::string_view s) {
    std::string r(s);
    for (char& c : r)
        c = lower(c);
    return r;
}
std::string uppered(std::string_view s) {
    std::string r(s);
    for (char& c : r)
        c = upper(c);
    return r;
}

bool iequals(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}
bool istarts_with(std::string_view s, std::string_view prefix) {
    return s.size() >= prefix.size() && iequals(s.substr(0, prefix.size()), prefix);
}
bool iends_with(std::string_view s, std::string_view suffix) {
    return s.size() >= suffix.size() && iequals(s.substr(s.size() - suffix.size()), suffix);
}

std::string_view trim(std::string_view s) {
    while (!s.empty() && is_space(s.front()))
        s.remove_prefix(1);
    while (!s.empty() && is_space(s.back()))
        s.remove_suffix(1);
    return s;
}

static std::vector<std::string_view> split_pieces(std::string_view s, std::string_view separators, bool braces) {
    std::vector<std::string_view> pieces;
    std::size_t start = 0;
    int depth = 0;
    for (std::size_t i = 0; i <= s.size(); ++i) {
        bool end = i == s.size();
        if (!end && braces && s[i] == '{')
            ++depth;
        if (!end && braces && s[i] == '}' && depth > 0)
            --depth;
        if (!end && (depth > 0 || separators.find(s[i]) == s.npos))
            continue;
        if (i > start)
            pieces.push_back(s.substr(start, i - start));
        start = i + 1;
    }
    return pieces;
}
std::vector<std::string_view> split(std::string_view s, std::string_view separators) {
    return split_pieces(s, separators, false);
}
std::vector<std::string_view> split_outside_braces(std::string_view s, std::string_view separators) {
    return split_pieces(s, separators, true);
}

std::pair<std::string_view, std::optional<std::string_view>> cut(std::string_view s, char separator) {
    std::size_t at = s.find(separator);
    if (at == s.npos)
        return {s, std::nullopt};
    return {s.substr(0, at), s.substr(at + 1)};
}

std::optional<std::int64_t> to_int(std::string_view s) {
    std::int64_t value = 0;
    auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
    if (error != std::errc{} || end != s.data() + s.size())
        return std::nullopt;
    return value;
}

// Length of the UTF-8 sequence at s[at], or 0 where there is none (RFC 3629, section 4: no overlong forms, no
// surrogates).
static std::size_t utf8_length(std::string_view s, std::size_t at) {
    auto byte = [&](std::size_t i) { return at + i < s.size() ? static_cast<unsigned char>(s[at + i]) : 0u; };
    auto tail = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
    unsigned c = byte(0);
    if (c < 0x80)
        return 1;
    if (c >= 0xC2 && c <= 0xDF)
        return tail(1) ? 2 : 0;
    if (c >= 0xE0 && c <= 0xEF) {
        if (!tail(1) || !tail(2) || (c == 0xE0 && byte(1) < 0xA0) || (c == 0xED && byte(1) > 0x9F))
            return 0;
        return 3;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        if (!tail(1) || !tail(2) || !tail(3) || (c == 0xF0 && byte(1) < 0x90) || (c == 0xF4 && byte(1) > 0x8F))
            return 0;
        return 4;
    }
    return 0;
}

bool valid_hostname(std::string_view name) {
    if (name.empty() || name.size() > 255)
        return false;
    std::size_t label = 0;
    bool letters = false;
    char last = 0;
    for (char c : name) {
        if (c == '.') {
            if (label == 0 || last == '-')
                return false;
            label = 0;
        } else if (is_alnum(c) || c == '_' || (c == '-' && label > 0)) {
            if (++label > 63)
                return false;
            letters |= !is_digit(c);
        } else {
            return false;
        }
        last = c;
    }
    return label > 0 && last != '-' && letters;
}

bool valid_utf8(std::string_view s) {
    for (std::size_t i = 0; i < s.size();) {
        std::size_t n = utf8_length(s, i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

std::string printable(std::string_view s, bool utf8, char instead) {
    const auto plain = static_cast<std::size_t>(std::find_if(s.begin(), s.end(),
                                                             [](char c) {
                                                                 return static_cast<unsigned char>(c) < 32 ||
                                                                        static_cast<unsigned char>(c) >= 127;
                                                             }) -
                                                s.begin());
    std::string r(s.substr(0, plain));  // nearly always all of it
    for (std::size_t i = plain; i < s.size();) {
        unsigned char c = static_cast<unsigned char>(s[i]);
        std::size_t n = c < 0x80 ? 1 : utf8 ? utf8_length(s, i) : 0;
        if (n == 0 || (n == 1 && (c < 32 || c == 127))) {
            r += instead;
            ++i;
            continue;
        }
        r.append(s, i, n);
        i += n;
    }
    return r;
}

static constexpr std::string_view ends("\r\n\0", 3);

bool is_one_line(std::string_view s) { return s.find_first_of(ends) == s.npos; }

std::string one_line(std::string s) {
    for (std::size_t at = s.find_first_of(ends); at != s.npos; at = s.find_first_of(ends, at + 1))
        s[at] = ' ';
    return s;
}

std::string escaped(std::string_view s) {
    constexpr std::string_view controls = "\a\b\t\n\v\f\r\\", letters = "abtnvfr\\";
    std::string r;
    for (char c : s) {
        if (std::size_t at = controls.find(c); at != controls.npos) {
            r += '\\';
            r += letters[at];
            continue;
        }
        unsigned char u = static_cast<unsigned char>(c);
        if (u >= 32 && u < 127) {
            r += c;
            continue;
        }
        r += '\\';
        for (int shift : {6, 3, 0})
            r += static_cast<char>('0' + (u >> shift & 7));
    }
    return r;
}

std::string unescaped(std::string_view s) {
    constexpr std::string_view letters = "abfnrtv", controls = "\a\b\f\n\r\t\v";
    std::string out;
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (s[i] != '\\' || i + 1 == s.size()) {
            out += s[i];
            continue;
        }
        const char c = s[++i];
        if (const std::size_t at = letters.find(c); at != letters.npos) {
            out += controls[at];
            continue;
        }
        unsigned value = 0, digits = 0;
        for (; digits < 3 && i + digits < s.size() && s[i + digits] >= '0' && s[i + digits] <= '7'; ++digits)
            value = value * 8 + static_cast<unsigned>(s[i + digits] - '0');
        out += digits > 0 ? static_cast<char>(value) : c;
        i += digits > 0 ? digits - 1 : 0;
    }
    return out;
}

std::string base64_encode(std::string_view s) {
    std::string r((s.size() + 2) / 3 * 4, '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(r.data()), reinterpret_cast<const unsigned char*>(s.data()),
                    static_cast<int>(s.size()));
    return r;
}

// EVP_DecodeBlock passes over white space at both ends and counts padding as zero bytes: both are ruled out here.
std::optional<std::string> base64_decode(std::string_view s) {
    if (s.empty())
        return std::string();
    std::size_t padding = s.size() - std::min(s.find('='), s.size());
    if (s.size() % 4 != 0 || padding > 2 || s.find_first_not_of("=", s.size() - padding) != s.npos ||
        s.find_first_of(" \t\r\n") != s.npos || s.size() > INT32_MAX / 2)
        return std::nullopt;
    std::string r(s.size() / 4 * 3, '\0');
    int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(r.data()),
                            reinterpret_cast<const unsigned char*>(s.data()), static_cast<int>(s.size()));
    if (n < 0)
        return std::nullopt;
    r.resize(static_cast<std::size_t>(n) - padding);
    return r;
}

std::string hex_encode(std::string_view s, bool upper) {
    const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    std::string r;
    for (char c : s) {
        r += digits[static_cast<unsigned char>(c) >> 4];
        r += digits[c & 15];
    }
    return r;
}
}
