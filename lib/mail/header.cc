#include "mail/header.h"
#include <algorithm>
#include <array>
#include "base/bytes.h"

namespace mail {
namespace {
using namespace header_use;
constexpr std::uint32_t to_sender = header_use::sender, to_recipient = header_use::recipient;

// Sorted by id, so that header_info() is an index.
constexpr std::array<HeaderInfo, 34> known{{
    {HeaderId::other, "", 0},
    {HeaderId::apparently_to, "Apparently-To", to_recipient},
    {HeaderId::bcc, "Bcc", to_recipient | extract},
    {HeaderId::cc, "Cc", to_recipient | extract},
    {HeaderId::content_description, "Content-Description", header_use::mime},
    {HeaderId::content_disposition, "Content-Disposition", header_use::mime},
    {HeaderId::content_id, "Content-Id", header_use::mime},
    {HeaderId::content_length, "Content-Length", 0},
    {HeaderId::content_transfer_encoding, "Content-Transfer-Encoding", header_use::mime},
    {HeaderId::content_type, "Content-Type", header_use::mime},
    {HeaderId::date, "Date", 0},
    {HeaderId::delivered_to, "Delivered-To", 0},
    {HeaderId::disposition_notification_to, "Disposition-Notification-To", to_sender},
    {HeaderId::errors_to, "Errors-To", to_sender},
    {HeaderId::from, "From", to_sender},
    {HeaderId::mail_followup_to, "Mail-Followup-To", to_sender},
    {HeaderId::message_id, "Message-Id", 0},
    {HeaderId::mime_version, "MIME-Version", header_use::mime},
    {HeaderId::received, "Received", 0},
    {HeaderId::reply_to, "Reply-To", to_sender},
    {HeaderId::resent_bcc, "Resent-Bcc", to_recipient | extract | resent},
    {HeaderId::resent_cc, "Resent-Cc", to_recipient | extract | resent},
    {HeaderId::resent_date, "Resent-Date", resent},
    {HeaderId::resent_from, "Resent-From", to_sender | resent},
    {HeaderId::resent_message_id, "Resent-Message-Id", resent},
    {HeaderId::resent_reply_to, "Resent-Reply-To", to_recipient | resent},
    {HeaderId::resent_sender, "Resent-Sender", to_sender | resent},
    {HeaderId::resent_to, "Resent-To", to_recipient | extract | resent},
    {HeaderId::return_path, "Return-Path", to_sender},
    {HeaderId::return_receipt_to, "Return-Receipt-To", to_sender},
    {HeaderId::sender, "Sender", to_sender},
    {HeaderId::subject, "Subject", 0},
    {HeaderId::to, "To", to_recipient | extract},
    {HeaderId::tls_required, "TLS-Required", 0},
}};
}

const HeaderInfo& header_info(HeaderId id) { return known[static_cast<std::size_t>(id)]; }

const HeaderInfo& find_header(std::string_view name) {
    for (const HeaderInfo& info : known)
        if (info.name.size() == name.size() && !name.empty() && bytes::iequals(info.name, name))
            return info;
    return known[0];
}

std::size_t header_name_length(std::string_view line) {
    std::size_t length = 0;
    while (length < line.size() && line[length] > ' ' && line[length] < 127 && line[length] != ':')
        ++length;
    if (length == 0)
        return 0;
    std::size_t colon = length;
    while (colon < line.size() && (line[colon] == ' ' || line[colon] == '\t'))
        ++colon;
    return colon < line.size() && line[colon] == ':' ? length : 0;
}

std::optional<HeaderField> split_header(std::string_view field) {
    const std::size_t length = header_name_length(field);
    if (length == 0)
        return {};
    const std::string_view name = field.substr(0, length);
    std::string_view value = field.substr(field.find(':', length) + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t\r\n"), value.size()));
    return HeaderField{&find_header(name), name, value};
}

namespace {
// A token of a structured MIME field (RFC 2045). kind: 'a' a word, 'q' a quoted string, 0 the end, else the one special
// or control character that text holds.
struct Token {
    char kind = 0;
    std::string text{};
};

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool special(char c) {
    return static_cast<unsigned char>(c) < 32 || c == 127 ||
           std::string_view("()<>@,;:\\\"/[]?=").find(c) != std::string_view::npos;
}

void skip_comment(std::string_view& text) {
    int depth = 0;
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
        if (text[i] == '\\')
            ++i;
        else if (text[i] == '(')
            ++depth;
        else if (text[i] == ')' && --depth == 0)
            break;
    }
    text.remove_prefix(std::min(i + 1, text.size()));
}

// Takes the next token off text; comments and blanks before it are skipped.
Token next_token(std::string_view& text) {
    while (!text.empty() && (blank(text.front()) || text.front() == '(')) {
        if (text.front() == '(')
            skip_comment(text);
        else
            text.remove_prefix(1);
    }
    if (text.empty())
        return {};
    if (text.front() == '"') {
        Token token{'q'};
        text.remove_prefix(1);
        while (!text.empty() && text.front() != '"') {
            if (text.front() == '\\' && text.size() > 1)
                text.remove_prefix(1);
            if (text.front() != '\n')
                token.text += text.front();
            text.remove_prefix(1);
        }
        if (!text.empty())
            text.remove_prefix(1);
        return token;
    }
    std::size_t length = 0;
    while (length < text.size() && !blank(text[length]) && !special(text[length]))
        ++length;
    Token token{length ? 'a' : text.front(), std::string(text.substr(0, std::max<std::size_t>(length, 1)))};
    text.remove_prefix(token.text.size());
    return token;
}
}

// What is not as RFC 2045 has it is read as generously as mail readers do: a part that a reader would show is a part
// here too.
ContentType parse_content_type(std::string_view value) {
    ContentType out;
    Token token = next_token(value);
    if (token.kind == 0 || token.kind == ';') {
        out.type = "text";
        out.subtype = "plain";
    } else if (token.kind == 'a') {
        out.type = bytes::lowered(token.text);
    }
    if (token.kind != ';')
        token = next_token(value);
    if (token.kind == '/') {
        token = next_token(value);
        if (token.kind == 'a')
            out.subtype = bytes::lowered(token.text);
    }
    while (token.kind != 0) {
        if (token.kind != ';') {
            token = next_token(value);
            continue;
        }
        token = next_token(value);
        if (token.kind != 'a')
            continue;
        const bool boundary = bytes::iequals(token.text, "boundary");
        token = next_token(value);
        if (token.kind != '=')
            continue;
        token = next_token(value);
        if (boundary && token.kind != ';' && token.kind != 0)
            out.boundaries.push_back(std::move(token.text));
    }
    return out;
}

std::string first_token(std::string_view value) { return bytes::lowered(next_token(value).text); }

namespace {
// Bytes of a character that is not seen but changes how what is around it is seen: C1 controls, line separators, marks
// of direction.
std::size_t invisible(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0)
        return 2;
    if (byte(0) != 0xE2)
        return 0;
    if (byte(1) == 0x80 && (byte(2) == 0x8E || byte(2) == 0x8F || (byte(2) >= 0xA8 && byte(2) <= 0xAE)))
        return 3;
    return byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9 ? 3 : 0;
}
}

std::string received_name(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t unseen = invisible(text.substr(i));
        const char c = text[i];
        const bool special = unseen || c == ' ' || static_cast<unsigned char>(c) < 32 || c == 127 ||
                             std::string_view("()<>;@\"\\").find(c) != std::string_view::npos;
        out += special ? '?' : c;
        i += std::max<std::size_t>(unseen, 1);
    }
    return out;
}

std::string quoted_in_comment(std::string_view text) {
    std::string out(text);
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < out.size(); ++i) {
        char& c = out[i];
        if (static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) > 126 || c == '"' || c == '\\')
            c = '?';
        else if (c == '(')
            open.push_back(i);
        else if (c == ')' && open.empty())
            c = '?';
        else if (c == ')')
            open.pop_back();
    }
    for (std::size_t i : open)
        out[i] = '?';
    return out;
}

std::string encoded_phrase(std::string_view text, std::string_view charset) {
    if (bytes::is_ascii(text) || charset.empty())
        return std::string(text);
    // An encoded word is at most 75 bytes: pieces of at most 45, cut between UTF-8 characters.
    std::string out;
    while (!text.empty()) {
        std::size_t take = std::min<std::size_t>(text.size(), 39);
        while (take < text.size() && take > 1 && (static_cast<unsigned char>(text[take]) & 0xC0) == 0x80)
            --take;
        if (!out.empty())
            out += "\n ";
        ((((out += "=?") += charset) += "?B?") += bytes::base64_encode(text.substr(0, take))) += "?=";
        text.remove_prefix(take);
    }
    return out;
}
}
