#include "mail/address.h"
#include <arpa/inet.h>
#include "base/bytes.h"
#include "mail/address_tokens.h"

namespace mail {
AddressParts split_address(std::string_view internal) {
    const std::size_t at = internal.rfind('@');
    if (at == std::string_view::npos) return {internal, {}};
    return {internal.substr(0, at), internal.substr(at + 1)};
}

namespace {
bool atom_char(char c) {
    if (static_cast<unsigned char>(c) > 127) return true;
    return c > ' ' && c < 127 && std::string_view("()<>@,;:\\\"[]").find(c) == std::string_view::npos;
}

bool dot_string(std::string_view local) {
    if (local.empty() || local.front() == '.' || local.back() == '.' || local.find("..") != std::string_view::npos) return false;
    for (char c : local)
        if (!atom_char(c)) return false;
    return true;
}
}

std::string to_external(std::string_view internal) {
    const auto [local, domain] = split_address(internal);
    if (internal.empty()) return {};
    std::string out;
    if (dot_string(local)) {
        out = local;
    } else {
        out = '"';
        for (char c : local) {
            if (c == '"' || c == '\\' || c == '\r' || c == '\n') out += '\\';
            out += c;
        }
        out += '"';
    }
    if (domain) (out += '@') += *domain;
    return out;
}

std::string to_internal(std::string_view external) {
    // The domain is behind the last '@' that is outside quotes.
    std::string out;
    std::size_t last_at = std::string_view::npos;
    bool quoted = false;
    for (std::size_t i = 0; i < external.size(); ++i) {
        if (external[i] == '\\') ++i;
        else if (external[i] == '"') quoted = !quoted;
        else if (external[i] == '@' && !quoted) last_at = i;
    }
    const std::string_view local = external.substr(0, last_at);
    for (std::size_t i = 0; i < local.size(); ++i) {
        if (local[i] == '"') continue;
        if (local[i] == '\\' && i + 1 < local.size()) ++i;
        out += local[i];
    }
    if (last_at != std::string_view::npos) out += external.substr(last_at);
    return out;
}

ExtensionSplit split_extension(std::string_view local, const ExtensionRules& rules) {
    if (rules.delimiters.empty()) return {local, {}, 0};
    if (bytes::iequals(local, "postmaster") || bytes::iequals(local, "mailer-daemon") || bytes::iequals(local, rules.double_bounce_sender))
        return {local, {}, 0};
    if (rules.owner_request_special && rules.delimiters.find('-') != std::string_view::npos &&
        (bytes::istarts_with(local, "owner-") || bytes::iends_with(local, "-request")))
        return {local, {}, 0};
    const std::size_t at = local.find_first_of(rules.delimiters);
    if (at == std::string_view::npos || at == 0) return {local, {}, 0};
    return {local.substr(0, at), local.substr(at + 1), local[at]};
}

Stripped strip_extension(std::string_view internal, const ExtensionRules& rules) {
    const auto [local, domain] = split_address(internal);
    const ExtensionSplit split = split_extension(local, rules);
    Stripped out{std::string(split.user), {}};
    if (split.extension) (out.extension += split.delimiter) += *split.extension;
    if (domain) (out.address += '@') += *domain;
    return out;
}

std::string add_extension(std::string_view internal, std::string_view extension) {
    const auto [local, domain] = split_address(internal);
    std::string out(local);
    out += extension;
    if (domain) (out += '@') += *domain;
    return out;
}

namespace {
// Reads one address out of tokens[from, to): a source route is skipped, comments and (unless strict) white space do not count.
std::optional<std::string> address_from_tokens(const std::vector<AddressToken>& tokens, std::size_t from, std::size_t to, bool strict) {
    using Kind = AddressToken::Kind;
    if (from < to && tokens[from].is('@')) {                 // @a,@b:user@host
        std::size_t colon = from;
        while (colon < to && !tokens[colon].is(':')) ++colon;
        if (colon == to) return {};
        from = colon + 1;
        if (from == to) return {};
    }
    std::string out;
    bool word_before = false, dot_before = false, domain = false, domain_part = false;
    for (std::size_t i = from; i < to; ++i) {
        const AddressToken& token = tokens[i];
        switch (token.kind) {
        case Kind::comment:
            if (strict) return {};
            continue;
        case Kind::atom:
        case Kind::quoted:
        case Kind::literal:
            if (word_before) return {};
            if (token.kind == Kind::literal && (!domain || domain_part)) return {};
            if (domain && token.kind == Kind::quoted) return {};
            word_before = true;
            if (domain) domain_part = true;
            break;
        case Kind::special:
            if (token.is('@')) {
                if (strict && (!word_before || domain)) return {};
                domain = true;
                domain_part = false;
            } else if (token.is('.')) {
                if (strict && !word_before) return {};
            } else {
                return {};
            }
            word_before = false;
            break;
        }
        dot_before = token.is('.');
        switch (token.kind) {
        case Kind::quoted: ((out += '"') += token.text) += '"'; break;
        case Kind::literal: ((out += '[') += token.text) += ']'; break;
        default: out += token.text;
        }
    }
    if (strict && (dot_before || (domain && !domain_part))) return {};
    return to_internal(out);
}

// Where the path in <> ends: the first '>' outside quotes; npos where there is none.
std::size_t closing_bracket(std::string_view text) {
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && quoted) ++i;
        else if (text[i] == '"') quoted = !quoted;
        else if (text[i] == '>' && !quoted) return i;
    }
    return std::string_view::npos;
}

std::size_t word_end(std::string_view text) {
    bool quoted = false;
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
        if (text[i] == '\\') ++i;
        else if (text[i] == '"') quoted = !quoted;
        else if (text[i] == ' ' && !quoted) break;
    }
    return std::min(i, text.size());
}
}

std::optional<Path> parse_path(std::string_view text, bool strict) {
    if (!strict) while (!text.empty() && bytes::is_space(text.front())) text.remove_prefix(1);
    std::string_view inside, rest;
    if (text.starts_with('<')) {
        const std::size_t end = closing_bracket(text);
        if (end == std::string_view::npos) return {};
        inside = text.substr(1, end - 1);
        rest = text.substr(end + 1);
        if (!strict && inside.starts_with('<') && rest.starts_with('>')) {   // <<a@b>>
            inside.remove_prefix(1);
            rest.remove_prefix(1);
        }
        if (!rest.empty() && rest.front() != ' ') return {};
    } else {
        if (strict || text.empty()) return {};
        const std::size_t end = word_end(text);
        inside = text.substr(0, end);
        rest = text.substr(end);
    }
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    if (strict)
        for (std::size_t i = 0, quoted = 0; i < inside.size(); ++i) {
            if (inside[i] == '"' && (i == 0 || inside[i - 1] != '\\')) quoted ^= 1;
            if (bytes::is_space(inside[i]) && !quoted) return {};
        }
    const auto tokens = address_tokens(inside, 1000);
    auto address = address_from_tokens(tokens, 0, tokens.size(), strict);
    if (!address) return {};
    return Path{std::move(*address), rest};
}

bool valid_ipv4(std::string_view text) {
    if (text.empty() || text.size() > 15) return false;
    in_addr a;
    return inet_pton(AF_INET, std::string(text).c_str(), &a) == 1;
}

bool valid_ipv6(std::string_view text) {
    if (text.empty() || text.size() > 45) return false;
    in6_addr a;
    return inet_pton(AF_INET6, std::string(text).c_str(), &a) == 1;
}

std::optional<std::string> address_literal(std::string_view inside) {
    if (bytes::istarts_with(inside, "IPv6:")) {
        inside.remove_prefix(5);
        if (valid_ipv6(inside)) return std::string(inside);
        return {};
    }
    if (valid_ipv4(inside)) return std::string(inside);
    return {};
}

bool valid_hostname(std::string_view name, bool utf8) {
    std::string ascii;
    if (!bytes::is_ascii(name)) {
        if (!utf8) return false;
        auto converted = to_ascii_domain(name);
        if (!converted) return false;
        ascii = std::move(*converted);
        name = ascii;
    }
    if (name.empty() || name.size() > 255) return false;
    std::size_t label = 0;
    bool letters = false;
    char before = '.';
    for (char c : name) {
        if (c == '.') {
            if (label == 0 || before == '-') return false;
            label = 0;
        } else if (bytes::is_alnum(c) || c == '_') {
            if (++label > 63) return false;
            letters = letters || !bytes::is_digit(c);
        } else if (c == '-') {
            if (label == 0 || ++label > 63) return false;
            letters = true;
        } else {
            return false;
        }
        before = c;
    }
    return label > 0 && before != '-' && letters;
}

bool valid_mail_domain(std::string_view domain, bool utf8) {
    if (domain.size() > 2 && domain.front() == '[' && domain.back() == ']') return address_literal(domain.substr(1, domain.size() - 2)).has_value();
    return valid_hostname(domain, utf8);
}

std::vector<LookupKey> lookup_keys(std::string_view internal, const ExtensionRules& rules, bool local, LookupOptions options) {
    std::vector<LookupKey> keys;
    const auto [user, domain] = split_address(internal);
    const ExtensionSplit split = split_extension(user, rules);
    const std::string at_domain = domain ? "@" + std::string(*domain) : "";
    const bool has_extension = split.extension.has_value();
    if (options.full) {
        keys.push_back({std::string(internal)});
        if (has_extension) keys.push_back({std::string(split.user) + at_domain, true});
    }
    if (options.local_part && local && domain) {
        keys.push_back({std::string(user)});
        if (has_extension) keys.push_back({std::string(split.user), true});
    }
    if (options.domain && domain) keys.push_back({at_domain, has_extension, true});
    return keys;
}
}
