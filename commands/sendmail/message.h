// The message on standard input as records, and the recipients that its header names.
//
// When things fail: nothing does; reading errors are the caller's.
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>
#include "queue/record.h"

namespace sendmail {
enum class LineEndings {
    always,
    strict,
    never
};  // sendmail_fix_line_endings: take CR before LF away always; where the first line has one; not

class MessageReader {
public:
    struct Settings {
        bool dot_is_data = false;
        bool extract = false;  // -t
        LineEndings endings = LineEndings::always;
        std::size_t line_length = 2048;  // longer lines become several records
    };
    using Out = std::function<void(queue::RecordType, std::string_view)>;
    MessageReader(Settings settings, Out out) : settings_(settings), out_(std::move(out)) {}

    // Takes input in pieces of any size. False when the line "." has ended the message.
    bool take(std::string_view bytes);
    void finish();
    // After finish(): the addresses of To, Cc and Bcc, or of their Resent- kin where there are such; internal form.
    std::vector<std::string> recipients() const;

private:
    enum class Piece { more, last, unterminated };  // of a line: others follow, the line ends, the message ends
    void line(std::string_view text, Piece how);
    void piece(std::string_view text, Piece how);
    void look_for_recipients(std::string_view text);
    void end_field();
    Settings settings_;
    Out out_;
    std::string partial_, field_;
    bool begun_ = false, in_header_ = true, ended_ = false, strip_ = true, first_line_ = true, resent_seen_ = false;
    bool continuing_ = false, dropped_ = false;  // within a line, of which pieces were put, or dropped
    std::vector<std::string> recipients_, resent_;
};
}
