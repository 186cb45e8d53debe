// The source format of tables (postmap(1), cidr_table(5), regexp_table(5) …) and of "/file" list members: lines whose
// first byte that is not white space is '#', and blank lines, do not count, wherever they are; a line that starts with
// white space continues the one before.
//
// When things fail: a first line that starts with white space is reported and passed over, as Postfix does.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include "base/error.h"

namespace table {
struct SourceLine {
    std::string text;  // joined, without line ends; white space at its end is gone
    int number = 0;    // of its first physical line
};

class SourceReader {
public:
    // name is what warnings show. text must outlive the reader.
    SourceReader(std::string_view name, std::string_view text) : name_(name), rest_(text) {}
    std::optional<SourceLine> next();

private:
    std::optional<std::string_view> physical();
    std::string name_;
    std::string_view rest_;
    int number_ = 0;
};

// "key white-space value": a key may hold white space between double quotes, kept as they are. Both trimmed. The
// Error's reason is Postfix's words for what is wrong with the line ("expected format: key whitespace value" …).
struct KeyValue {
    std::string_view key, value;
};
Result<KeyValue> split_key_value(std::string_view line);
}
