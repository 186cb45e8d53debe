#include "mail/address.h"
#include <arpa/inet.h>
#include "base/bytes.h"

namespace mail {
AddressParts split_address(std::string_view internal) {
    const std::size_t at = internal.rfind('@');
    if (at == std::string_view::npos)
        return {internal, {}};
    return {internal.substr(0, at), internal.substr(at + 1)};
}

bool is_plain(std::string_view address) {
    const auto [local, domain] = split_address(address);
    if (!domain || local.empty() || domain->find('.') == std::string_view::npos ||
        address.find("..") != std::string_view::npos)
        return false;
    for (char c : local)
        if (!bytes::is_alnum(c) && c != '.' && c != '-' && c != '_' && c != '+' && c != '=')
            return false;
    for (char c : *domain)
        if (!bytes::is_alnum(c) && c != '.' && c != '-')
            return false;
    return local.front() != '-' && local.front() != '.' && local.back() != '.' && domain->front() != '.' &&
           domain->back() != '.';
}

namespace {
bool atom_char(char c) {
    if (static_cast<unsigned char>(c) > 127)
        return true;
    return c > ' ' && c < 127 && std::string_view("()<>@,;:\\\"[]").find(c) == std::string_view::npos;
}

bool dot_string(std::string_view local) {
    if (local.empty() || local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos)
        return false;
    for (char c : local)
        if (!atom_char(c))
            return false;
    return true;
}
}

std::string quoted_string(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    return out + '"';
}

std::string to_external(std::string_view internal) {
    const auto [local, domain] = split_address(internal);
    if (internal.empty())
        return {};
    std::string out;
    std::string_view rest = local;
    if (local.starts_with('@'))  // a source route needs no quotes, but where what is in it would open or escape one
        if (std::size_t colon = local.find(':'); colon != local.npos && local.find_first_of("\"\\") > colon) {
            out = local.substr(0, colon + 1);
            rest = local.substr(colon + 1);
        }
    if (local.empty() && domain)  // nor does one to a user without domain
        if (std::size_t colon = domain->find_first_of(":[");
            colon != domain->npos && (*domain)[colon] == ':' && dot_string(domain->substr(colon + 1)))
            return bytes::one_line(std::string(internal));
    if (dot_string(rest)) {
        out += rest;
    } else {
        out += quoted_string(rest);
    }
    if (domain)
        (out += '@') += *domain;
    return bytes::one_line(std::move(out));
}

std::string to_internal(std::string_view external) {
    // The domain is behind the last '@' that is outside quotes.
    std::string out;
    std::size_t last_at = std::string_view::npos;
    bool quoted = false;
    for (std::size_t i = 0; i < external.size(); ++i) {
        if (external[i] == '\\')
            ++i;
        else if (external[i] == '"')
            quoted = !quoted;
        else if (external[i] == '@' && !quoted)
            last_at = i;
    }
    const std::string_view local = external.substr(0, last_at);
    for (std::size_t i = 0; i < local.size(); ++i) {
        if (local[i] == '"')
            continue;
        if (local[i] == '\\' && i + 1 < local.size())
            ++i;
        out += local[i];
    }
    if (last_at != std::string_view::npos)
        out += external.substr(last_at);
    return bytes::one_line(std::move(out));
}

ExtensionSplit split_extension(std::string_view local, const ExtensionRules& rules) {
    if (rules.delimiters.empty())
        return {local, {}, 0};
    if (bytes::iequals(local, "postmaster") || bytes::iequals(local, "mailer-daemon") ||
        bytes::iequals(local, rules.double_bounce_sender))
        return {local, {}, 0};
    if (rules.owner_request_special && rules.delimiters.find('-') != std::string_view::npos &&
        (bytes::istarts_with(local, "owner-") || bytes::iends_with(local, "-request")))
        return {local, {}, 0};
    const std::size_t at = local.find_first_of(rules.delimiters);
    if (at == std::string_view::npos || at == 0)
        return {local, {}, 0};
    return {local.substr(0, at), local.substr(at + 1), local[at]};
}

Stripped strip_extension(std::string_view internal, const ExtensionRules& rules) {
    const auto [local, domain] = split_address(internal);
    const ExtensionSplit split = split_extension(local, rules);
    Stripped out{std::string(split.user), {}};
    if (split.extension)
        (out.extension += split.delimiter) += *split.extension;
    if (domain)
        (out.address += '@') += *domain;
    return out;
}

std::string add_extension(std::string_view internal, std::string_view extension) {
    const auto [local, domain] = split_address(internal);
    std::string out(local);
    out += extension;
    if (domain)
        (out += '@') += *domain;
    return out;
}

bool valid_ipv4(std::string_view text) {
    int parts = 0, digits = 0, value = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && bytes::is_digit(text[i])) {
            value = value * 10 + (text[i] - '0');
            if (++digits > 3 || value > 255)
                return false;
        } else {
            if ((i < text.size() && text[i] != '.') || digits == 0)
                return false;
            ++parts;
            digits = value = 0;
        }
    }
    return parts == 4;
}

bool valid_ipv6(std::string_view text) {
    if (text.empty() || text.size() > 45)
        return false;
    in6_addr a;
    return inet_pton(AF_INET6, std::string(text).c_str(), &a) == 1;
}

std::optional<std::string> address_literal(std::string_view inside) {
    if (bytes::istarts_with(inside, "IPv6:")) {
        inside.remove_prefix(5);
        if (valid_ipv6(inside))
            return std::string(inside);
        return {};
    }
    if (valid_ipv4(inside))
        return std::string(inside);
    return {};
}

bool valid_hostname(std::string_view name, bool utf8) {
    std::string ascii;
    if (!bytes::is_ascii(name)) {
        if (!utf8)
            return false;
        auto converted = to_ascii_domain(name);
        if (!converted)
            return false;
        ascii = std::move(*converted);
        name = ascii;
    }
    return bytes::valid_hostname(name);
}

bool valid_mail_domain(std::string_view domain, bool utf8) {
    if (domain.size() > 2 && domain.front() == '[' && domain.back() == ']')
        return address_literal(domain.substr(1, domain.size() - 2)).has_value();
    return valid_hostname(domain, utf8);
}

std::vector<LookupKey> lookup_keys(std::string_view internal, const ExtensionRules& rules, bool local,
                                   LookupOptions options) {
    std::vector<LookupKey> keys;
    const auto [user, domain] = split_address(internal);
    const ExtensionSplit split = split_extension(user, rules);
    const std::string at_domain = domain ? "@" + std::string(*domain) : "";
    const bool has_extension = split.extension.has_value();
    if (options.full) {
        keys.push_back({std::string(internal)});
        if (has_extension)
            keys.push_back({std::string(split.user) + at_domain, true});
    }
    if (options.local_part && local && domain) {
        keys.push_back({std::string(user)});
        if (has_extension)
            keys.push_back({std::string(split.user), true});
    }
    if (options.domain && domain)
        keys.push_back({at_domain, has_extension, true});
    return keys;
}
}
