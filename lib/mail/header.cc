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
    {HeaderId::resent_reply_to, "Resent-Reply-To", to_sender | resent},
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
        if (info.name.size() == name.size() && !name.empty() && bytes::iequals(info.name, name)) return info;
    return known[0];
}

std::size_t header_name_length(std::string_view line) {
    std::size_t length = 0;
    while (length < line.size() && line[length] > ' ' && line[length] < 127 && line[length] != ':') ++length;
    if (length == 0) return 0;
    std::size_t colon = length;
    while (colon < line.size() && (line[colon] == ' ' || line[colon] == '\t')) ++colon;
    return colon < line.size() && line[colon] == ':' ? length : 0;
}

std::optional<HeaderField> split_header(std::string_view field) {
    const std::size_t length = header_name_length(field);
    if (length == 0) return {};
    const std::string_view name = field.substr(0, length);
    std::string_view value = field.substr(field.find(':', length) + 1);
    while (!value.empty() && bytes::is_space(value.front())) value.remove_prefix(1);
    return HeaderField{&find_header(name), name, value};
}

namespace {
constexpr std::string_view mime_specials = "()<>@,;:\\\"/[]?=";

// The next token of a structured MIME field: a word (quotes undone, `quoted` set) or one special; empty at the end. Comments are skipped.
std::string next_token(std::string_view& text, bool& quoted) {
    quoted = false;
    std::string out;
    while (!text.empty()) {
        if (bytes::is_space(text.front())) {
            text.remove_prefix(1);
        } else if (text.front() == '(') {
            int depth = 0;
            std::size_t i = 0;
            for (; i < text.size(); ++i) {
                if (text[i] == '\\') ++i;
                else if (text[i] == '(') ++depth;
                else if (text[i] == ')' && --depth == 0) break;
            }
            text.remove_prefix(std::min(i + 1, text.size()));
        } else {
            break;
        }
    }
    if (text.empty()) return out;
    if (text.front() == '"') {
        quoted = true;
        text.remove_prefix(1);
        while (!text.empty() && text.front() != '"') {
            if (text.front() == '\\' && text.size() > 1) text.remove_prefix(1);
            if (text.front() != '\n') out += text.front();
            text.remove_prefix(1);
        }
        if (!text.empty()) text.remove_prefix(1);
        return out;
    }
    if (mime_specials.find(text.front()) != std::string_view::npos) {
        out = text.front();
        text.remove_prefix(1);
        return out;
    }
    while (!text.empty() && !bytes::is_space(text.front()) && mime_specials.find(text.front()) == std::string_view::npos) {
        out += text.front();
        text.remove_prefix(1);
    }
    return out;
}
}

const std::string* ContentType::parameter(std::string_view name) const {
    for (const Parameter& p : parameters)
        if (p.name == name) return &p.value;
    return nullptr;
}

ContentType parse_content_type(std::string_view value) {
    ContentType out;
    bool quoted = false;
    out.type = bytes::lowered(next_token(value, quoted));
    if (next_token(value, quoted) != "/") return out;
    out.subtype = bytes::lowered(next_token(value, quoted));
    while (!value.empty() && out.parameters.size() < 100) {
        const std::string token = next_token(value, quoted);
        if (token.empty() && !quoted) break;
        if (token != ";") continue;
        std::string name = bytes::lowered(next_token(value, quoted));
        if (name.empty()) break;
        std::string_view ahead = value;
        if (next_token(ahead, quoted) != "=") continue;
        value = ahead;
        out.parameters.push_back({std::move(name), next_token(value, quoted)});
        // A value with specials that nobody quoted ("boundary=a=b"): glue until the next ';' or white space.
        while (!quoted && !value.empty() && !bytes::is_space(value.front()) && value.front() != ';' && value.front() != '(')
            out.parameters.back().value += next_token(value, quoted);
    }
    return out;
}

std::string first_token(std::string_view value) {
    bool quoted = false;
    return bytes::lowered(next_token(value, quoted));
}

std::string encoded_phrase(std::string_view text, std::string_view charset) {
    if (bytes::is_ascii(text) || charset.empty()) return std::string(text);
    // An encoded word is at most 75 bytes: pieces of at most 45, cut between UTF-8 characters.
    std::string out;
    while (!text.empty()) {
        std::size_t take = std::min<std::size_t>(text.size(), 39);
        while (take < text.size() && take > 1 && (static_cast<unsigned char>(text[take]) & 0xC0) == 0x80) --take;
        if (!out.empty()) out += "\n ";
        ((((out += "=?") += charset) += "?B?") += bytes::base64_encode(text.substr(0, take))) += "?=";
        text.remove_prefix(take);
    }
    return out;
}
}
