// Message: header fields and body lines, as the MIME parser hands them over.
#include <algorithm>
#include <ctime>
#include "base/bytes.h"
#include "base/time.h"
#include "log/log.h"
#include "loop/loop.h"
#include "mail/address_tokens.h"
#include "mail/dsn.h"
#include "message.h"

namespace cleanup {
using mail::HeaderClass;
using mail::HeaderId;
using mail::HeaderInfo;
using queue::RecordType;
namespace flags = ipc::cleanup_flags;

namespace {
constexpr std::size_t log_text_max = 200;
constexpr std::size_t bcc_limit = 1000;  // addresses that checks may add to one message

std::string message_id(const mail::QueueId& id, base::WallTime when, const std::string& host) {
    if (id.long_form())
        return "<" + id.text() + "@" + host + ">";
    const std::time_t seconds = when.seconds;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char stamp[32];
    std::strftime(stamp, sizeof stamp, "%Y%m%d%H%M%S", &utc);
    return "<" + std::string(stamp) + "." + id.text() + "@" + host + ">";
}

// A display name as a header may hold it: in quotes where a character asks for them, else as words.
std::string phrase(std::string_view name) {
    const bool quoted = std::any_of(name.begin(), name.end(), [](char c) {
        return std::string_view("()<>@,;:\\\".[]!%").find(c) != std::string_view::npos || c == 127 ||
               (static_cast<unsigned char>(c) < 32 && c != '\t');
    });
    if (quoted)
        return mail::quoted_string(name);
    std::string out;
    for (std::string_view word : bytes::split(name, " \t"))
        ((out += out.empty() ? "" : " ") += word);
    return out;
}

// A display name as the text of a comment. One that would not end with the comment's own parenthesis loses what says
// so.
std::string comment(std::string_view name) {
    int depth = 0;
    bool escaped = false, ends_early = false;
    for (char c : name) {
        if (!escaped)
            depth += (c == '(') - (c == ')');
        ends_early |= depth < 0;
        escaped = c == '\\' && !escaped;
    }
    std::string out(name);
    if (ends_early || depth != 0 || escaped)
        std::erase_if(out, [](char c) { return std::string_view("()\\").find(c) != std::string_view::npos; });
    return out;
}
}

void MessageWriter::content_record(std::string_view text, bool whole) {
    if (troubles_ & too_large)
        return;
    if (!rules_.strip_characters.empty() && text.find_first_of(rules_.strip_characters) != std::string_view::npos) {
        buffer_.clear();
        for (char c : text)
            if (rules_.strip_characters.find(c) == std::string::npos)
                buffer_ += c;
        text = buffer_;
    }
    if (!rules_.reject_characters.empty()) {
        if (text.find_first_of(rules_.reject_characters) != std::string_view::npos) {
            log_action("reject", "content", bytes::printable(text.substr(0, log_text_max)),
                       "5.7.1 disallowed character");
            return trouble(content, "5.7.1", "disallowed character");
        }
    }
    if (rules_.replace_stray_cr_lf && (text.find('\r') != text.npos || text.find('\n') != text.npos)) {
        std::string spaced(text);
        std::replace_if(
            spaced.begin(), spaced.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
        buffer_ = std::move(spaced);
        text = buffer_;
    }
    parser_->line(text, whole);
    if (rules_.message_size_limit > 0 && file_.offset() - data_offset_ > rules_.message_size_limit)
        trouble(too_large);
}

void MessageWriter::end_content() {
    parser_->finish();
    mime_trouble();
    data_size_ = file_.offset() - data_offset_;
    put(RecordType::extracted, "");
    // What the message says of itself and its parts, whatever the client said of it in MAIL.
    if (encoding_ != "8bit" && rules_.detect_8bit && parser_->declared_8bit())
        put(RecordType::attribute, queue::attribute_payload(queue::attribute::encoding, "8bit"));
}

void MessageWriter::mime_trouble() {
    for (const auto& [which, line] : mime_problems_) {
        const auto [status, text] = mail::describe_mime_problem(which);
        maillog::info("{}: reject: mime-error {}: {} from {};{}{}", id().text(), text, bytes::printable(line), origin(),
                      have_sender_ ? " from=<" + quoted(sender_) + ">" : "",
                      last_recipient_.empty() ? "" : " to=<" + quoted(last_recipient_) + ">");
    }
    if (mime_problems_.empty())
        return;
    const auto [status, text] =
        mail::describe_mime_problem(parser_->problems() & ~mail::mime_problem::truncated_header);
    trouble(content, status, text);
}

// Mail that is not filtered, such as a bounce, is taken as it is: nobody could be told of its faults.
void MessageWriter::mime_problem(std::uint32_t which, std::string_view line) {
    if ((flags_ & flags::filter) && which != mail::mime_problem::truncated_header)
        mime_problems_.emplace_back(which, line);
}

// ---- what log lines say of where the message came from

std::string MessageWriter::origin() const {
    const auto value = [this](std::string_view name) -> std::string {
        const auto found = attributes_.find(name);
        return found == attributes_.end() ? "" : found->second;
    };
    if (std::string text = value(queue::attribute::log_message_origin); !text.empty())
        return text;
    const std::string name = value(queue::attribute::log_client_name),
                      address = value(queue::attribute::log_client_address);
    if (name.empty() && address.empty())
        return "local";
    return name + "[" + address + "]";
}

void MessageWriter::log_action(std::string_view action, std::string_view context, std::string_view text,
                               std::string_view why) const {
    std::string line =
        fmt::format("{}: {}: {} {} from {};", id().text(), action, context, text.substr(0, log_text_max), origin());
    const auto add = [&](std::string_view name, std::string_view key, bool brackets) {
        const auto found = attributes_.find(key);
        if (found != attributes_.end() && !found->second.empty())
            line +=
                brackets ? fmt::format(" {}=<{}>", name, found->second) : fmt::format(" {}={}", name, found->second);
    };
    if (have_sender_)
        line += " from=<" + quoted(sender_) + ">";
    if (!last_recipient_.empty())
        line += " to=<" + quoted(last_recipient_) + ">";
    add("proto", queue::attribute::log_protocol_name, false);
    add("helo", queue::attribute::log_helo_name, true);
    if (!why.empty())
        (line += ": ") += why;
    maillog::info("{}", line);
}

void MessageWriter::log_message_id(std::string_view name, std::string_view value) const {
    maillog::info("{}: {}={}", id().text(), name, value.substr(0, 1000));
}

// ---- header_checks, body_checks

std::optional<std::string_view> MessageWriter::checked(const table::Maps& maps, std::string_view context,
                                                       std::string_view text, std::string& buffer) {
    const auto found = maps.find(text);
    if (!found) {
        maillog::warning("{}: {} map lookup problem -- message not accepted, try again later", id().text(),
                         maps.title());
        trouble(not_written);
        return {};
    }
    if (!*found)
        return text;
    const Action action = parse_action(**found);
    using Kind = Action::Kind;
    switch (action.kind) {
    case Kind::none: return text;
    case Kind::unknown: maillog::warning("unknown command in {} map: {}", maps.title(), **found); return text;
    case Kind::malformed:
        maillog::warning("bad {} command {} in {} -- {}",
                         bytes::uppered(std::string_view(**found).substr(0, (**found).find_first_of(" \t"))),
                         action.text, maps.title(), action.complaint);
        return text;
    case Kind::warn: log_action("warning", context, text, action.text); return text;
    case Kind::info: log_action("info", context, text, action.text); return text;
    case Kind::ignore: return {};
    case Kind::strip: log_action("strip", context, text, action.text); return {};
    case Kind::pass:
        log_action("pass", context, text, action.text);
        checks_on_ = false;
        return text;
    case Kind::hold:
        if (!hold_)
            log_action("hold", context, text, action.text);
        hold_ = true;
        return text;
    case Kind::filter:
        log_action("filter", context, text, action.text);
        filter_of_checks_ = action.text;
        return text;
    case Kind::redirect: {
        log_action("redirect", context, text, action.text);
        const auto list = rewriting_.completed_list(action.text);
        if (!list || list->empty())
            trouble(not_written);
        else
            redirect_of_checks_ = list->front();
        return text;
    }
    case Kind::bcc:
        log_action("bcc", context, text, action.text);
        if (bcc_.size() < bcc_limit)
            bcc_.emplace_back(action.text);
        return text;
    case Kind::discard:
        log_action("discard", context, text, action.text);
        discard_ = true;
        checks_on_ = false;
        return {};
    case Kind::prepend:
        if (context == "header" && mail::header_name_length(action.text) == 0) {
            maillog::warning("{}: bad PREPEND header text \"{}\" -- need \"headername: headervalue\"", maps.title(),
                             action.text);
            return text;
        }
        log_action("prepend", context, text, action.text);
        put(RecordType::line, action.text);
        return text;
    case Kind::replace:
        if (context == "header" && mail::header_name_length(action.text) == 0) {
            maillog::warning("{}: bad REPLACE header text \"{}\" -- need \"headername: headervalue\"", maps.title(),
                             action.text);
            return text;
        }
        log_action("replace", context, text, action.text);
        buffer = action.text;
        return buffer;
    case Kind::reject: {
        EnhancedStatus status{5, 7, 1};
        std::string_view why = action.text;
        EnhancedStatus given;
        if (const std::size_t taken = EnhancedStatus::parse(why, given);
            taken > 0 && (taken == why.size() || bytes::is_space(why[taken]))) {
            if (given.klass != 2)
                status = given;
            why = bytes::trim(why.substr(taken));
        }
        const std::string reason = why.empty() ? "message content rejected" : std::string(why);
        log_action("reject", context, text, status.text() + " " + reason);
        trouble(content, status.text(), reason);
        checks_on_ = false;
        return text;
    }
    }
    return text;
}

// ---- header

void MessageWriter::header(HeaderClass klass, const HeaderInfo& given, std::string_view text) {
    if (stopped() || text.empty())
        return;
    const HeaderInfo* info = &given;
    std::string replaced;
    if (checks_on_) {
        const table::Maps& maps = (given.use & mail::header_use::mime) ? rules_.mime_header_checks
                                  : klass == HeaderClass::primary      ? rules_.header_checks
                                  : klass == HeaderClass::mime         ? rules_.mime_header_checks
                                                                       : rules_.nested_header_checks;
        if (!maps.empty()) {
            const auto kept = checked(maps, "header", text, replaced);
            if (!kept || stopped())
                return;
            if (kept->data() != text.data()) {
                text = *kept;
                const auto field = mail::split_header(text);
                info = field ? field->info : &mail::header_info(HeaderId::other);
            }
        }
    }
    // The header of a part or of an attached message, too: RFC 6532 knows one kind of message, all of whose headers may
    // be UTF-8.
    if (!bytes::is_ascii(text)) {
        if (flags_ & flags::autodetect_smtputf8)
            send_options_ |= mail::smtputf8::requested;
        if (rules_.smtputf8 && (send_options_ & mail::smtputf8::requested))
            send_options_ |= mail::smtputf8::header;
    }
    if (klass == HeaderClass::primary)
        primary_header(*info, text);
    else
        put_header(text);
}

void MessageWriter::put_header(std::string_view text) {
    while (true) {
        const auto [line, rest] = bytes::cut(text, '\n');
        put(RecordType::line, line);
        if (!rest)
            return;
        text = *rest;
    }
}

void MessageWriter::primary_header(const HeaderInfo& info, std::string_view text) {
    const auto field = mail::split_header(text);
    if (!field)
        return put_header(text);
    headers_seen_ |= std::uint64_t(1) << static_cast<unsigned>(info.id);
    if (info.use & mail::header_use::resent)
        resent_ = true;
    switch (info.id) {
    case HeaderId::received:
        if (++hops_ >= rules_.hop_limit && !(troubles_ & too_many_hops)) {
            maillog::warning("{}: message rejected: hopcount exceeded", id().text());
            trouble(too_many_hops);
        }
        break;
    case HeaderId::message_id: log_message_id("message-id", field->value); break;
    case HeaderId::resent_message_id: log_message_id("resent-message-id", field->value); break;
    case HeaderId::to:
    case HeaderId::cc:
    case HeaderId::resent_to:
    case HeaderId::resent_cc: visible_recipient_ = true; break;
    default: look_for_tls_demand(*field); break;
    }
    for (const std::string& name : rules_.drop_headers)
        if (bytes::iequals(name, field->name))
            return;
    if ((info.use & (mail::header_use::sender | mail::header_use::recipient)) && !rewrite_context_.empty())
        return rewrite_header(info, text);
    put_header(text);
}

// RFC 8689: "TLS-Required: no"; and Postfix's own "Require-TLS-ESMTP: yes", which takes REQUIRETLS through a content
// filter.
void MessageWriter::look_for_tls_demand(const mail::HeaderField& field) {
    const auto says = [&](std::string_view word) { return bytes::iequals(bytes::trim(field.value), word); };
    if (rules_.tls_required && bytes::iequals(field.name, "TLS-Required") && says("no"))
        send_options_ |= mail::send_option::tls_optional;
    if (rules_.require_tls_header && bytes::iequals(field.name, "Require-TLS-ESMTP") && says("yes")) {
        send_options_ |= mail::send_option::require_tls;
        require_tls_header_seen_ = true;
    }
}

void MessageWriter::rewrite_header(const HeaderInfo& info, std::string_view text) {
    const auto field = mail::split_header(text);
    mail::AddressList list = mail::AddressList::parse_long(field->value, rules_.header_token_limit);
    std::optional<Error> error;
    const bool sender = info.use & mail::header_use::sender;
    const bool changed = list.rewrite([&](const std::string& external) -> std::optional<std::string> {
        if (error)
            return {};
        loop::breathe();  // thousands of plain addresses ask nobody
        auto answer = rewriting_.header(external, rewrite_context_, sender, flags_ & flags::map_addresses);
        if (answer)
            return std::move(*answer);
        error = std::move(answer.error());
        return {};
    });
    if (error) {
        maillog::warning("{}: {} -- message not accepted, try again later", id().text(), error->reason);
        return trouble(not_written);
    }
    if (!changed)
        return put_header(text);
    if (list.cut())
        maillog::warning("{}: {} holds more than header_address_token_limit = {} tokens: what follows is taken out",
                         id().text(), field->name, rules_.header_token_limit);
    put_header(list.text(std::string(field->name) + ":"));
}

void MessageWriter::header_end() {
    if (stopped())
        return;
    if (parser_->header_ended_by_text()) {
        if (rules_.end_of_header_action == "add_header")
            put_header("MIME-Error: message header ended with text");
        if (rules_.end_of_header_action == "reject") {
            log_action("reject", "header", "end", "5.6.0 message header ends with a line that is not empty");
            return trouble(content, "5.6.0", "message header ends with a line that is not empty");
        }
    }
    if (rules_.require_tls_header && (send_options_ & mail::send_option::require_tls) && !require_tls_header_seen_)
        put_header("Require-TLS-ESMTP: yes");
    if (!rewrite_context_.empty() || rules_.always_add_missing_headers)
        add_missing_headers();
    else if (!seen(HeaderId::message_id))
        log_message_id("message-id", "<>");
}

void MessageWriter::add_missing_headers() {
    add_missing_family(resent_);
    if (resent_ && !seen(HeaderId::message_id))
        log_message_id("message-id", "<>");
    if (!rules_.undisclosed_recipients.empty() && !visible_recipient_)
        put_header(rules_.undisclosed_recipients);
}

void MessageWriter::add_missing_family(bool resent) {
    const std::string_view prefix = resent ? "Resent-" : "";
    if (!seen(resent ? HeaderId::resent_message_id : HeaderId::message_id)) {
        const std::string made = message_id(id(), arrival_, rules_.myhostname);
        put_header(std::string(prefix) + "Message-Id: " + made);
        log_message_id(resent ? "resent-message-id" : "message-id", made);
    }
    if (!seen(resent ? HeaderId::resent_date : HeaderId::date))
        put_header(std::string(prefix) + "Date: " + base::rfc5322_date(static_cast<std::time_t>(arrival_.seconds)));
    if (!seen(resent ? HeaderId::resent_from : HeaderId::from))
        add_missing_from();
}

void MessageWriter::add_missing_from() {
    const std::string name = resent_ ? "Resent-From: " : "From: ";
    if (sender_.empty())
        return put_header(name + "MAILER-DAEMON");
    const std::string address = mail::to_external(sender_);
    if (full_name_.empty())
        return put_header(name + address);
    const bool encode = !bytes::is_ascii(full_name_) && !rules_.full_name_charset.empty();
    const auto encoded = [&](std::string_view text) { return mail::encoded_phrase(text, rules_.full_name_charset); };
    if (rules_.from_is_obsolete) {
        const std::string text = comment(full_name_);
        return put_header(name + address + " (" + (encode ? encoded(text) : text) + ")");
    }
    std::string display = encode ? encoded(full_name_) : phrase(full_name_);
    put_header(name + (display += display.empty() ? "" : " ") + "<" + address + ">");
}

// ---- body

void MessageWriter::body(std::string_view text, bool whole) {
    if (stopped())
        return;
    std::string replaced;
    const std::size_t offset = body_checked_;  // within this part, as body_checks_size_limit counts
    body_checked_ += text.size() + 1;
    if (checks_on_ && !text.empty() && !rules_.body_checks.empty() && offset < rules_.body_checks_limit) {
        const auto kept = checked(rules_.body_checks, "body", text, replaced);
        if (!kept || stopped())
            return;
        text = *kept;
    }
    put(whole ? RecordType::line : RecordType::part, text);
}
}
