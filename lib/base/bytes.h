// Small tools for text that came from outside: all ASCII, none depends on the locale.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bytes {
inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
inline char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

std::string lowered(std::string_view s);
std::string uppered(std::string_view s);
bool iequals(std::string_view a, std::string_view b);  // ASCII case folded
bool istarts_with(std::string_view s, std::string_view prefix);
bool iends_with(std::string_view s, std::string_view suffix);
std::string_view trim(std::string_view s);  // white space at both ends
// Pieces between runs of the separators; empty pieces do not count.
std::vector<std::string_view> split(std::string_view s, std::string_view separators);
// As split, but text within balanced { } is one piece, braces kept (postconf(5) list syntax).
std::vector<std::string_view> split_outside_braces(std::string_view s, std::string_view separators);
// Before and after the first separator; the second is absent where there is no separator.
std::pair<std::string_view, std::optional<std::string_view>> cut(std::string_view s, char separator);
// A whole decimal number and nothing else, within int64; else absent.
std::optional<std::int64_t> to_int(std::string_view s);
// What a log line may show of outside bytes: control characters (and, unless utf8, what is not ASCII or not valid
// UTF-8) become '?'.
std::string printable(std::string_view s, bool utf8 = true, char instead = '?');
// Text of one line: CR, LF and NUL, where lines and strings of others end, become blanks. For names and addresses that
// come in (queue files, submissions) and for what goes out as a line (commands, header fields).
bool is_one_line(std::string_view s);
std::string one_line(std::string s);
// As printable(), for a line that is to show them: as in a C string, "QUIT\\r\\n", "\\303\\274".
std::string escaped(std::string_view s);
// The way back: letters of C (\n), up to three octal digits (\40), and what else stands behind a backslash as it is.
std::string unescaped(std::string_view s);
// A host's name: labels of letters, digits, '-' and (as seen in the field) '_'; 63 bytes a label, 255 in all; not all
// digits.
bool valid_hostname(std::string_view name);
bool valid_utf8(std::string_view s);  // RFC 3629
inline bool is_ascii(std::string_view s) {
    for (char c : s)
        if (static_cast<unsigned char>(c) > 127)
            return false;
    return true;
}

// RFC 4648 without line breaks; decode refuses anything outside the alphabet and wrong padding.
std::string base64_encode(std::string_view s);
std::optional<std::string> base64_decode(std::string_view s);
std::string hex_encode(std::string_view s, bool upper = false);
}
