// An SMTP reply: what a server says and a client reads. Lines of text, the code, the enhanced status (RFC 2034).
//
// When things fail: ReplyReader says which line broke the grammar; a reply that is too long is cut, its code kept.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"

namespace mail {
struct Reply {
    int code = 0;                      // 200..599
    EnhancedStatus enhanced{0, 0, 0};  // klass 0: none
    std::vector<std::string> lines;    // text behind code and, on the first line, enhanced status

    static Reply of(int code,
                    std::string_view text);  // "5.7.1 Relay access denied": splits a leading enhanced status off
    static Reply of(int code, EnhancedStatus enhanced, std::string text);
    // As on the wire, CRLF behind each line, the enhanced status on every line.
    std::string wire() const;
    // On one line, as logs and bounces show it: "550 5.1.1 first second".
    std::string text() const;
    bool positive() const { return code >= 200 && code < 300; }
    bool intermediate() const { return code >= 300 && code < 400; }
    bool temporary() const { return code >= 400 && code < 500; }
    bool permanent() const { return code >= 500; }
    // The enhanced status, or X.0.0 with the code's class where the peer gave none (or one of another class).
    EnhancedStatus status() const;
};

// Reads a peer's reply line by line (without line ends).
class ReplyReader {
public:
    // Keeps at most lines_max lines and bytes_max bytes of text; more are read and dropped.
    explicit ReplyReader(std::size_t lines_max = 128, std::size_t bytes_max = 64 * 1024)
        : lines_max_(lines_max), bytes_max_(bytes_max) {}
    enum class Step { more, done, malformed };
    // A line without a code is malformed, as is one whose code differs from the first's; the reader takes no more lines
    // then.
    Step line(std::string_view text);
    Reply take();  // after done; makes the reader ready for the next reply
private:
    std::size_t lines_max_, bytes_max_, bytes_ = 0;
    Reply reply_;
};

// A status code as an access table or a "defer" text may give it at its start: "4.3.5 text", "450 4.7.1 text", "text".
struct StatusText {
    int code = 0;
    EnhancedStatus enhanced{0, 0, 0};
    std::string_view text;
};
// Takes "NNN " and "c.s.d " off the front of text where they are there (code 0 / klass 0 where not).
StatusText split_status(std::string_view text);
}
