// MIME structure of a message that arrives line by line: which lines are headers (of the message, of a part, of a
// nested message), which are body, where 8-bit data is, how deep it goes. Can rewrite 8-bit parts as quoted-printable
// while they pass.
//
//     class Checks : public MimeEvents { void header(...) override; void body(...) override; … };
//     MimeParser parser(options, checks);
//     parser.line("Subject: x", true); … parser.finish();
//
// For cleanup (checks, strict_* rules) and smtp (conversion for peers without 8BITMIME). Memory: one header field at a
// time, at most header_size_limit; the boundaries of at most nesting_limit + 2 parts (as many as with Postfix). When
// things fail: problems() collects what was seen; parsing goes on. Calls wait only where the events' owner does.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>
#include "mail/header.h"

namespace mail {
enum class HeaderClass : std::uint8_t { primary, mime, nested };  // of the message; of a part; of an attached message

namespace mime_problem {
inline constexpr std::uint32_t nesting = 1;           // deeper than nesting_limit
inline constexpr std::uint32_t truncated_header = 2;  // a field longer than header_size_limit
inline constexpr std::uint32_t header_8bit = 4;       // with report_8bit_header
inline constexpr std::uint32_t body_8bit = 8;         // 8-bit data in a part that claims 7 bits, with report_8bit_body
inline constexpr std::uint32_t encoding_domain =
    16;  // multipart or message with an encoding of its own, with report_encoding_domain
}
// 550 5.6.x and a sentence for the first of the problems.
struct MimeProblemText {
    std::string_view status, text;
};
MimeProblemText describe_mime_problem(std::uint32_t problem);

class MimeEvents {
public:
    virtual ~MimeEvents() = default;
    // One whole field, lines joined by '\n', without the last line's end. info is `other` for unknown names.
    virtual void header(HeaderClass klass, const HeaderInfo& info, std::string_view text) = 0;
    // Once, when the message's own header is over: before the empty line or the first body line.
    virtual void header_end() = 0;
    // A body line or the piece of a long one (whole: the line ends here), the empty line after each header included.
    virtual void body(std::string_view text, bool whole) = 0;
    // What follows is a new stretch of body: what stands behind a header (its empty line first), or behind the last
    // part of a multipart.
    virtual void body_begin() {}
    virtual void body_end() {}
    // The first of each kind of mime_problem, and the line it was seen in, cut to 100 bytes.
    virtual void mime_problem(std::uint32_t which, std::string_view line) {
        (void)which;
        (void)line;
    }
};

struct MimeOptions {
    bool parse = true;           // false: the message's header is all that is looked at
    bool nested_headers = true;  // false: message/rfc822 headers are body
    std::size_t nesting_limit = 100, header_size_limit = 102400, boundary_length_limit = 2048;
    bool report_8bit_header = false, report_8bit_body = false, report_encoding_domain = false;
    bool downgrade = false;  // 8bit and binary parts leave as quoted-printable
};

class MimeParser {
public:
    MimeParser(const MimeOptions& options, MimeEvents& events);
    // The next line, without line end. A line too long for one call comes in pieces, whole only for the last.
    void line(std::string_view text, bool whole = true);
    // Ends the message; a header that is still open is delivered, then header_end() if it was not, then body_end().
    void finish();
    std::uint32_t problems() const { return problems_; }
    // Did any header, of the message, a part or an attached message, say Content-Transfer-Encoding: 8bit or binary?
    bool declared_8bit() const { return declared_8bit_; }
    // Did the message's header end with a line that is neither header nor empty? The missing empty line was then
    // supplied.
    bool header_ended_by_text() const { return ended_by_text_; }

private:
    enum class State : std::uint8_t { primary, mime, nested, body, finished };
    enum class Domain : std::uint8_t { seven_bit, eight_bit, binary };
    enum class Encoding : std::uint8_t { none, base64, quoted_printable };
    enum class Type : std::uint8_t { text, message, multipart };
    struct Boundary {
        std::string text;
        bool digest;
    };  // digest: its parts are messages unless they say otherwise

    void header_line(std::string_view text, bool whole);
    void end_field();
    void end_headers();
    bool in_header() const { return state_ == State::primary || state_ == State::mime || state_ == State::nested; }
    void body_line(std::string_view text, bool whole);
    bool boundary_line(std::string_view text, bool whole);
    void emit_body(std::string_view text, bool whole);
    void quoted_printable(std::string_view text, bool whole);
    void start_part(State state, Type default_type, bool digest);
    void content_type(std::string_view value);
    void transfer_encoding(std::string_view value);
    void problem(std::uint32_t which, std::string_view line);

    MimeOptions options_;
    MimeEvents& events_;
    State state_ = State::primary;
    std::uint32_t problems_ = 0;
    bool declared_8bit_ = false, ended_by_text_ = false;
    std::string field_;  // the header field being collected
    bool field_open_ = false, field_overflow_ = false, line_started_ = false, on_boundary_ = false;
    std::vector<Boundary> boundaries_;
    Type type_ = Type::text;
    std::string subtype_;
    Domain domain_ = Domain::seven_bit;
    Encoding encoding_ = Encoding::none;
    bool convert_ = false;  // this part's body leaves as quoted-printable
    std::string converted_;
};
}
