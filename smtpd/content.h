// A message's content on its way downstream: counted against message_size_limit, and its first line looked at.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace smtpd {
class Downstream;

class Content {
public:
    // size_limit: message_size_limit, 0 for none.
    void begin(Downstream& to, std::int64_t size_limit);
    // One line, or with ends false a piece of one. What mailboxes put in front of a message is no header, and a message
    // may begin with its body.
    void line(std::string_view text, bool ends);
    bool begun() const { return to_ != nullptr; }
    std::int64_t bytes() const { return bytes_; }
    bool over_limit() const { return over_limit_; }
    bool bare_newline = false;  // some line ended in LF alone, where that matters

private:
    Downstream* to_ = nullptr;
    std::int64_t bytes_ = 0, size_limit_ = 0;
    bool over_limit_ = false;
};

// What BDAT's chunks leave behind for the next one: lines are those of the whole message.
struct Chunks {
    bool begun = false;      // the first BDAT has come
    bool failed = false;     // no good any more: chunks are read and dropped
    std::string rest{};      // an unfinished line of the last chunk
    bool continued = false;  // … whose beginning has gone downstream already
};
}
