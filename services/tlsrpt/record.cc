#include "record.h"
#include <algorithm>
#include "base/bytes.h"
#include "dns/dns.h"

namespace tlsrpt {
namespace {
constexpr std::string_view version = "v=TLSRPTv1";

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        int value = 0;
        for (int digit = 0; digit < 2; ++digit) {
            char c = ++i < text.size() ? bytes::lower(text[i]) : '?';
            if (!bytes::is_digit(c) && (c < 'a' || c > 'f'))
                return std::nullopt;
            value = value * 16 + (bytes::is_digit(c) ? c - '0' : c - 'a' + 10);
        }
        out += static_cast<char>(value);
    }
    return out;
}

// A dot-atom at a domain: what can stand in a header as it is.
bool plain_address(std::string_view address) {
    auto at = address.rfind('@');
    if (at == address.npos || at == 0 || at > 64 || address.size() > 254)
        return false;
    std::string_view local = address.substr(0, at), domain = address.substr(at + 1);
    if (local.front() == '.' || local.back() == '.' || local.find("..") != local.npos)
        return false;
    for (char c : local)
        if (!bytes::is_alnum(c) && std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) == std::string_view::npos)
            return false;
    return dns::valid_hostname(domain) && domain.find('.') != domain.npos;
}
}

std::optional<Uri> parse_uri(std::string_view text) {
    if (text.empty() || text.size() > uri_limit)
        return std::nullopt;
    for (char c : text)
        if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) > '~' ||
            std::string_view("!\"<>\\^`{|}").find(c) != std::string_view::npos)
            return std::nullopt;
    if (bytes::istarts_with(text, "https://"))
        return Uri{std::string(text), ""};
    if (!bytes::istarts_with(text, "mailto:"))
        return std::nullopt;
    std::string_view to = text.substr(7);
    auto address = percent_decoded(to.substr(0, to.find('?')));
    if (!address || !plain_address(*address))
        return std::nullopt;
    return Uri{std::string(text), std::move(*address)};
}

Result<std::vector<Uri>> parse_record(std::string_view record) {
    auto bad = [](std::string why) { return permanent(std::move(why), {5, 7, 5}); };
    if (record.size() > record_limit)
        return bad("the record is too long");
    auto [first, rest] = bytes::cut(record, ';');
    if (bytes::trim(first) != version || !rest)
        return bad("not a TLSRPTv1 record");
    std::vector<Uri> found;
    for (std::string_view field : bytes::split(*rest, ";")) {
        field = bytes::trim(field);
        if (!field.starts_with("rua="))
            continue;
        for (std::string_view one : bytes::split(field.substr(4), ",")) {
            auto uri = parse_uri(bytes::trim(one));
            if (!uri || found.size() == destinations_limit)
                continue;
            if (std::none_of(found.begin(), found.end(), [&](const Uri& u) { return u.text == uri->text; }))
                found.push_back(std::move(*uri));
        }
        break;  // of fields given twice the first one holds
    }
    if (found.empty())
        return bad("the record names no destination that can be used");
    return found;
}

std::optional<std::string> select_record(const std::vector<std::string>& txt) {
    std::optional<std::string> found;
    for (const std::string& record : txt) {
        auto [first, rest] = bytes::cut(record, ';');
        if (bytes::trim(first) != version || !rest)
            continue;
        if (found)
            return std::nullopt;
        found = record;
    }
    return found;
}
}
