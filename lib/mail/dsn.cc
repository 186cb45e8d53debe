#include "mail/dsn.h"
#include "base/bytes.h"

namespace mail {
std::optional<DsnNotify> parse_notify(std::string_view text) {
    if (text.empty() || text.back() == ',' || text.size() > 64)
        return {};
    DsnNotify bits = 0;
    while (!text.empty()) {
        const auto [word, rest] = bytes::cut(text, ',');
        if (bytes::iequals(word, "never"))
            bits |= notify::never;
        else if (bytes::iequals(word, "success"))
            bits |= notify::success;
        else if (bytes::iequals(word, "failure"))
            bits |= notify::failure;
        else if (bytes::iequals(word, "delay"))
            bits |= notify::delay;
        else
            return {};
        text = rest.value_or("");
    }
    if ((bits & notify::never) && bits != notify::never)
        return {};
    return bits;
}

std::string notify_text(DsnNotify bits) {
    std::string text;
    const auto add = [&](DsnNotify bit, std::string_view word) {
        if (!(bits & bit))
            return;
        if (!text.empty())
            text += ',';
        text += word;
    };
    add(notify::never, "NEVER");
    add(notify::success, "SUCCESS");
    add(notify::failure, "FAILURE");
    add(notify::delay, "DELAY");
    return text;
}

std::optional<DsnReturn> parse_ret(std::string_view text) {
    if (bytes::iequals(text, "full"))
        return ret::full;
    if (bytes::iequals(text, "hdrs"))
        return ret::headers;
    return {};
}

std::string_view ret_text(DsnReturn bits) { return bits & ret::full ? "FULL" : bits & ret::headers ? "HDRS" : ""; }

namespace {
std::optional<unsigned> hex_digit(char c) {
    if (bytes::is_digit(c))
        return c - '0';
    c = bytes::upper(c);
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return {};
}
bool above_ascii(char c) { return static_cast<unsigned char>(c) > 127; }
bool control(char c) { return static_cast<unsigned char>(c) < 32 || c == 127; }

// RFC 6533 \x{HEX}, as in utf-8-addr-xtext: code points become UTF-8. Absent where a sequence is malformed.
std::optional<std::string> decode_embedded_unicode(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        if (!text.starts_with("\\x{")) {
            out += text.front();
            text.remove_prefix(1);
            continue;
        }
        text.remove_prefix(3);
        std::uint32_t code = 0;
        std::size_t digits = 0;
        for (; digits < text.size() && digits < 6; ++digits) {
            const auto digit = hex_digit(text[digits]);
            if (!digit)
                break;
            code = code * 16 + *digit;
        }
        if (digits < 2 || digits >= text.size() || text[digits] != '}')
            return {};
        if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
            return {};
        text.remove_prefix(digits + 1);
        if (code < 0x80)
            out += static_cast<char>(code);
        else if (code < 0x800)
            (out += static_cast<char>(0xC0 | code >> 6)) += static_cast<char>(0x80 | (code & 63));
        else if (code < 0x10000)
            ((out += static_cast<char>(0xE0 | code >> 12)) += static_cast<char>(0x80 | (code >> 6 & 63))) +=
                static_cast<char>(0x80 | (code & 63));
        else
            (((out += static_cast<char>(0xF0 | code >> 18)) += static_cast<char>(0x80 | (code >> 12 & 63))) +=
             static_cast<char>(0x80 | (code >> 6 & 63))) += static_cast<char>(0x80 | (code & 63));
    }
    return out;
}
}

std::string xtext_encode(std::string_view raw, bool keep_utf8) {
    std::string out;
    for (char c : raw) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte > 32 && byte < 127 && c != '+' && c != '=') || (keep_utf8 && byte > 127))
            out += c;
        else
            ((out += '+') += "0123456789ABCDEF"[byte >> 4]) += "0123456789ABCDEF"[byte & 15];
    }
    return out;
}

std::optional<std::string> xtext_decode(std::string_view text, bool allow_utf8) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '+') {
            if (i + 2 >= text.size())
                return {};
            const auto high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
            if (!high || !low)
                return {};
            out += static_cast<char>(*high << 4 | *low);
            i += 2;
        } else if (c == '=' || c == ' ' || control(c) || (above_ascii(c) && !allow_utf8)) {
            return {};
        } else {
            out += c;
        }
    }
    return out;
}

std::string OriginalRecipient::text() const { return type + ";" + address; }

std::optional<OriginalRecipient> split_original_recipient(std::string_view text) {
    const auto [type, address] = bytes::cut(text, ';');
    if (!address || type.empty())
        return {};
    return OriginalRecipient{std::string(type), std::string(*address)};
}

std::optional<OriginalRecipient> parse_orcpt(std::string_view text, bool utf8) {
    const auto parts = split_original_recipient(text);
    if (!parts || parts->type.size() > 40)
        return {};
    for (char c : parts->type)
        if (!bytes::is_alnum(c) && c != '-')
            return {};
    auto address = xtext_decode(parts->address, utf8);
    if (!address)
        return {};  // empty: "rfc822;" is taken
    if (bytes::iequals(parts->type, "utf-8"))
        address = decode_embedded_unicode(*address);
    if (!address)
        return {};
    for (char c : *address)
        if (control(c))
            return {};
    if (!bytes::is_ascii(*address) && !bytes::valid_utf8(*address))
        return {};
    return OriginalRecipient{parts->type, std::move(*address)};
}

std::string orcpt_wire(const OriginalRecipient& original, bool utf8) {
    if (bytes::is_ascii(original.address) || utf8)
        return original.type + ";" + xtext_encode(original.address, utf8);
    return original.type + ";" + xtext_encode(original.address);
}
}
