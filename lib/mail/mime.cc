#include "mail/mime.h"
#include <algorithm>
#include "base/bytes.h"

namespace mail {
namespace {
bool has_8bit(std::string_view text) { return !bytes::is_ascii(text); }
}

MimeProblemText describe_mime_problem(std::uint32_t problem) {
    if (problem & mime_problem::nesting)
        return {"5.6.0", "MIME nesting exceeds safety limit"};
    if (problem & mime_problem::truncated_header)
        return {"5.6.0", "message header length exceeds safety limit"};
    if (problem & mime_problem::header_8bit)
        return {"5.6.0", "improper use of 8-bit data in message header"};
    if (problem & mime_problem::body_8bit)
        return {"5.6.0", "improper use of 8-bit data in message body"};
    if (problem & mime_problem::encoding_domain)
        return {"5.6.0", "invalid message/* or multipart/* encoding domain"};
    return {"2.0.0", "no problem"};
}

MimeParser::MimeParser(const MimeOptions& options, MimeEvents& events) : options_(options), events_(events) {}

void MimeParser::problem(std::uint32_t which, std::string_view line) {
    if (!(problems_ & which))
        events_.mime_problem(which, line.substr(0, 100));
    problems_ |= which;
}

void MimeParser::line(std::string_view text, bool whole) {
    if (state_ == State::finished)
        return;
    if (on_boundary_)
        emit_body(text, whole);  // the rest of a boundary line, whatever is in it
    else if (in_header())
        header_line(text, whole);
    else
        body_line(text, whole);
    line_started_ = !whole;
    on_boundary_ = on_boundary_ && !whole;
}

void MimeParser::header_line(std::string_view text, bool whole) {
    // The rest of a line that came in pieces, or a folded line, belongs to the field that is open.
    const bool continues =
        line_started_ || (field_open_ && !text.empty() && (text.front() == ' ' || text.front() == '\t'));
    if (field_open_ && continues) {
        const std::size_t joint = line_started_ ? 0 : 1;
        const std::size_t room =
            options_.header_size_limit > field_.size() + joint ? options_.header_size_limit - field_.size() - joint : 0;
        if (room == 0 || text.size() > room) {
            if (!field_overflow_)
                problem(mime_problem::truncated_header, field_);
            field_overflow_ = true;
        }
        if (room > 0) {
            if (joint)
                field_ += '\n';
            field_.append(text.substr(0, room));
        }
        return;
    }
    if (field_open_)
        end_field();
    if (state_ != State::primary && boundary_line(text, whole))
        return;
    if (const std::size_t name = header_name_length(text); name > 0) {
        field_open_ = true;
        field_overflow_ = text.size() > options_.header_size_limit;
        if (field_overflow_)
            problem(mime_problem::truncated_header, text);
        // "Subject : x" goes on as "Subject: x", so that what looks for "Subject:" finds it, here and further on.
        field_.assign(text.substr(0, name)).append(text.substr(text.find(':')));
        if (field_overflow_)
            field_.resize(std::min(field_.size(), options_.header_size_limit));
        return;
    }
    const bool primary = state_ == State::primary;
    const bool empty = text.empty() && whole;
    if (primary && !empty)
        ended_by_text_ = true;
    end_headers();
    if (!empty && state_ == State::nested)
        state_ = State::body;  // an attached message without the line before it
    if (empty)
        emit_body("", true);
    else {
        if (primary) {  // the empty line that nobody wrote
            emit_body("", true);
            events_.body_begin();
        }
        body_line(text, whole);
    }
}

void MimeParser::end_field() {
    field_open_ = false;
    const HeaderClass klass = state_ == State::primary ? HeaderClass::primary
                              : state_ == State::mime  ? HeaderClass::mime
                                                       : HeaderClass::nested;
    const auto field = split_header(field_);
    const HeaderInfo& info = field ? *field->info : header_info(HeaderId::other);
    if (options_.report_8bit_header && has_8bit(field_))
        problem(mime_problem::header_8bit, field_);
    if (options_.parse && field) {
        if (info.id == HeaderId::content_type)
            content_type(field->value);
        if (info.id == HeaderId::content_transfer_encoding) {
            transfer_encoding(field->value);
            declared_8bit_ = declared_8bit_ || domain_ != Domain::seven_bit;
            // The label of a converted part is written when its header ends: only then its type is known.
            if (options_.downgrade && domain_ != Domain::seven_bit)
                return;
        }
    }
    events_.header(klass, info, field_);
}

void MimeParser::end_headers() {
    const State was = state_;
    convert_ = false;
    if (options_.parse && options_.downgrade && domain_ != Domain::seven_bit) {
        // message/global and its kin may be encoded as a whole, and must be: their header fields have 8-bit bytes too
        // (RFC 6532, section 3.7).
        const bool composite = type_ == Type::multipart || (type_ == Type::message && !subtype_.starts_with("global"));
        const HeaderClass klass = was == State::primary ? HeaderClass::primary
                                  : was == State::mime  ? HeaderClass::mime
                                                        : HeaderClass::nested;
        events_.header(klass, header_info(HeaderId::content_transfer_encoding),
                       composite ? "Content-Transfer-Encoding: 7bit" : "Content-Transfer-Encoding: quoted-printable");
        convert_ = !composite;
    }
    if (was == State::primary)
        events_.header_end();
    events_.body_begin();
    if (!options_.parse) {
        state_ = State::body;
        return;
    }
    if (options_.report_encoding_domain && (type_ == Type::multipart || type_ == Type::message) &&
        encoding_ != Encoding::none && !(type_ == Type::message && subtype_ == "partial"))
        problem(mime_problem::encoding_domain, encoding_ == Encoding::base64 ? "base64" : "quoted-printable");
    state_ = State::body;
    if (type_ == Type::message && options_.nested_headers && (subtype_ == "rfc822" || subtype_ == "global") &&
        !convert_) {
        start_part(State::nested, Type::text, false);  // from behind the empty line that ends this header
    }
}

void MimeParser::start_part(State state, Type default_type, bool digest) {
    state_ = state;
    type_ = digest ? Type::message : default_type;
    subtype_ = digest ? "rfc822" : type_ == Type::text ? "plain" : "";
    domain_ = Domain::seven_bit;
    encoding_ = Encoding::none;
    convert_ = false;
    converted_.clear();
}

// Of several Content-Type fields a reader may believe any: every boundary is looked for, those of the last one first.
void MimeParser::content_type(std::string_view value) {
    ContentType parsed = parse_content_type(value);
    if (parsed.type == "text")
        type_ = Type::text;
    else if (parsed.type == "message")
        type_ = Type::message;
    else if (parsed.type == "multipart")
        type_ = Type::multipart;
    else
        return;  // image, application …: a leaf like text
    subtype_ = std::move(parsed.subtype);
    if (type_ != Type::multipart)
        return;
    for (std::string& boundary : parsed.boundaries) {
        if (boundaries_.size() > options_.nesting_limit + 1)
            return problem(mime_problem::nesting, field_);
        boundary.resize(std::min(boundary.size(), options_.boundary_length_limit));
        boundaries_.push_back({std::move(boundary), subtype_ == "digest"});
    }
}

void MimeParser::transfer_encoding(std::string_view value) {
    const std::string token = first_token(value);
    domain_ = token == "8bit" ? Domain::eight_bit : token == "binary" ? Domain::binary : Domain::seven_bit;
    encoding_ = token == "base64"             ? Encoding::base64
                : token == "quoted-printable" ? Encoding::quoted_printable
                                              : Encoding::none;
}

// "--boundary" or "--boundary--" of any part that is open: closes the parts inside it.
bool MimeParser::boundary_line(std::string_view text, bool whole) {
    if (boundaries_.empty() || text.size() < 3 || text[0] != '-' || text[1] != '-')
        return false;
    const std::string_view rest = text.substr(2);
    for (std::size_t i = boundaries_.size(); i-- > 0;) {
        const std::string& boundary = boundaries_[i].text;
        if (!rest.starts_with(boundary))
            continue;
        const bool final = rest.substr(boundary.size()).starts_with("--");
        if (in_header())
            end_headers();  // a part without a body
        boundaries_.resize(final ? i : i + 1);
        if (final)
            events_.body_begin();
        start_part(final ? State::body : State::mime, Type::text, !final && boundaries_[i].digest);
        emit_body(text, whole);
        on_boundary_ = !whole;
        return true;
    }
    return false;
}

void MimeParser::body_line(std::string_view text, bool whole) {
    if (!line_started_ && options_.parse && !boundaries_.empty() && text.size() > 2 && text[0] == '-' &&
        boundary_line(text, whole))
        return;
    if (options_.report_8bit_body && domain_ == Domain::seven_bit && has_8bit(text))
        problem(mime_problem::body_8bit, text);
    if (convert_)
        quoted_printable(text, whole);
    else
        emit_body(text, whole);
}

void MimeParser::emit_body(std::string_view text, bool whole) { events_.body(text, whole); }

// RFC 2045 section 6.7: lines of at most 76 characters, white space at a line's end encoded.
void MimeParser::quoted_printable(std::string_view text, bool whole) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    constexpr std::size_t longest = 72;  // and then one more, of up to three characters, and '='
    const auto put = [&](std::string_view piece) {
        if (converted_.size() > longest) {
            converted_ += '=';
            emit_body(converted_, true);
            converted_.clear();
        }
        converted_ += piece;
    };
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte > 32 && byte < 127 && c != '=') || c == ' ' || c == '\t') {
            put({&c, 1});
        } else {
            const char encoded[3] = {'=', hex[byte >> 4], hex[byte & 15]};
            put({encoded, 3});
        }
    }
    if (!whole)
        return;
    if (!converted_.empty() && (converted_.back() == ' ' || converted_.back() == '\t')) {
        const char last = converted_.back();
        converted_.pop_back();
        const char encoded[3] = {'=', hex[static_cast<unsigned char>(last) >> 4],
                                 hex[static_cast<unsigned char>(last) & 15]};
        put({encoded, 3});
    }
    emit_body(converted_, true);
    converted_.clear();
}

void MimeParser::finish() {
    if (state_ == State::finished)
        return;
    if (in_header()) {
        if (field_open_)
            end_field();
        end_headers();
    }
    if (convert_ && !converted_.empty())
        quoted_printable("", true);
    state_ = State::finished;
    events_.body_end();
}
}
