#include "tls/choice.h"
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <charconv>
#include <optional>
#include "base/bytes.h"
#include "conf/params/tls.h"
#include "conf/settings.h"

namespace tls {
namespace {
constexpr const char* separators = " \t\r\n,:";

Failure bad(std::string text) { return permanent(std::move(text), {5, 3, 5}); }

struct Version {
    std::string_view name;
    int number;
    std::uint64_t off;
};
constexpr Version versions[] = {
    {"SSLv2", 0x0002, 0},
    {"SSLv3", 0x0300, SSL_OP_NO_SSLv3},
    {"TLSv1", 0x0301, SSL_OP_NO_TLSv1},
    {"TLSv1.1", 0x0302, SSL_OP_NO_TLSv1_1},
    {"TLSv1.2", 0x0303, SSL_OP_NO_TLSv1_2},
    {"TLSv1.3", 0x0304, SSL_OP_NO_TLSv1_3},
};

const Version* find_version(std::string_view name) {
    for (const Version& v : versions)
        if (bytes::iequals(v.name, name))
            return &v;
    return nullptr;
}

std::optional<std::uint64_t> hexadecimal(std::string_view text) {
    if (bytes::istarts_with(text, "0x"))
        text.remove_prefix(2);
    std::uint64_t n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n, 16);
    return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(n) : std::nullopt;
}

Result<int> bound(std::string_view name) {
    if (const Version* v = find_version(name))
        return v->number < 0x0300 ? 0x0300 : v->number;
    if (auto n = hexadecimal(name); n && *n < 0x10000)
        return static_cast<int>(*n);
    return bad(fmt::format("invalid TLS protocol \"{}\"", name));
}

struct Option {
    std::string_view name;
    std::uint64_t bit;
};
constexpr Option ssl_options[] = {
    {"ENABLE_MIDDLEBOX_COMPAT", SSL_OP_ENABLE_MIDDLEBOX_COMPAT},
    {"LEGACY_SERVER_CONNECT", SSL_OP_LEGACY_SERVER_CONNECT},
    {"NO_COMPRESSION", SSL_OP_NO_COMPRESSION},
    {"NO_RENEGOTIATION", SSL_OP_NO_RENEGOTIATION},
    {"NO_SESSION_RESUMPTION_ON_RENEGOTIATION", SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION},
    {"NO_TICKET", SSL_OP_NO_TICKET},
    {"PRIORITIZE_CHACHA", SSL_OP_PRIORITIZE_CHACHA},
};
// The names that older OpenSSL had and this one ignores are accepted: they are bits of nothing.
constexpr Option workarounds[] = {
    {"CRYPTOPRO_TLSEXT_BUG", SSL_OP_CRYPTOPRO_TLSEXT_BUG},
    {"DONT_INSERT_EMPTY_FRAGMENTS", SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS},
    {"LEGACY_SERVER_CONNECT", SSL_OP_LEGACY_SERVER_CONNECT},
    {"TLSEXT_PADDING", SSL_OP_TLSEXT_PADDING},
    {"SAFARI_ECDHE_ECDSA_BUG", SSL_OP_SAFARI_ECDHE_ECDSA_BUG},
    {"MICROSOFT_BIG_SSLV3_BUFFER", 0},
    {"MICROSOFT_SESS_ID_BUG", 0},
    {"MSIE_SSLV2_RSA_PADDING", 0},
    {"NETSCAPE_CHALLENGE_BUG", 0},
    {"NETSCAPE_REUSE_CIPHER_CHANGE_BUG", 0},
    {"SSLEAY_080_CLIENT_DH_BUG", 0},
    {"SSLREF2_REUSE_CERT_TYPE_BUG", 0},
    {"TLS_BLOCK_PADDING_BUG", 0},
    {"TLS_D5_BUG", 0},
    {"TLS_ROLLBACK_BUG", SSL_OP_TLS_ROLLBACK_BUG},
    {"CVE-2005-2969", 0},
    {"CVE-2010-4180", 0},
};

template <std::size_t N> Result<std::uint64_t> parse_bits(std::string_view text, const Option (&names)[N]) {
    std::uint64_t bits = 0;
    for (std::string_view word : bytes::split(text, separators)) {
        bool found = false;
        for (const Option& o : names)
            if (bytes::iequals(o.name, word)) {
                bits |= o.bit;
                found = true;
            }
        if (found)
            continue;
        auto n = hexadecimal(word);
        if (!n || !bytes::istarts_with(word, "0x"))
            return bad(fmt::format("unknown TLS library option \"{}\"", word));
        bits |= *n;
    }
    return bits;
}

bool has_group(const std::string& name) {
    static SSL_CTX* probe = SSL_CTX_new(TLS_method());  // the only way to ask that knows provider groups as well
    return SSL_CTX_set1_groups_list(probe, name.c_str()) == 1;
}
}

Result<Protocols> parse_protocols(std::string_view text) {
    Protocols p;
    std::uint64_t only = 0, all = 0;
    for (const Version& v : versions)
        all |= v.off;
    for (std::string_view word : bytes::split(text, separators)) {
        if (word.starts_with(">=")) {
            TRY_ASSIGN(p.lowest, bound(word.substr(2)));
            continue;
        }
        if (word.starts_with("<=")) {
            TRY_ASSIGN(p.highest, bound(word.substr(2)));
            continue;
        }
        bool without = word.starts_with("!");
        const Version* v = find_version(without ? word.substr(1) : word);
        if (!v)
            return bad(fmt::format("invalid TLS protocol \"{}\"", word));
        (without ? p.off : only) |= v->off;
    }
    if (only)
        p.off |= all & ~only;
    if (p.lowest && p.highest && p.lowest > p.highest)
        return bad(fmt::format("no TLS protocol is left by \"{}\"", text));
    return p;
}

Result<std::string> cipher_list(const conf::Settings& settings, std::string_view grade, std::string_view exclude) {
    std::string list;
    if (bytes::iequals(grade, "high"))
        list = settings[param::tls_high_cipherlist];
    else if (bytes::iequals(grade, "medium"))
        list = settings[param::tls_medium_cipherlist];
    else if (bytes::iequals(grade, "low"))
        list = settings[param::tls_low_cipherlist];
    else if (bytes::iequals(grade, "export"))
        list = settings[param::tls_export_cipherlist];
    else if (bytes::iequals(grade, "null"))
        list = settings[param::tls_null_cipherlist];
    else
        return bad(fmt::format("invalid TLS cipher grade \"{}\"", grade));
    if (list.empty())
        list = settings[param::tls_medium_cipherlist];
    for (std::string_view name : bytes::split(exclude, separators))
        list += fmt::format(":!{}", name);
    return list;
}

std::string known_groups(std::string_view curves, std::string_view ffdhe) {
    std::string list;
    for (std::string_view part : {curves, ffdhe})
        for (std::string_view name : bytes::split(part, separators))
            if (has_group(std::string(name)))
                list += (list.empty() ? "" : ":") + std::string(name);
    ERR_clear_error();
    return list;
}

Result<std::uint64_t> parse_ssl_options(std::string_view text) { return parse_bits(text, ssl_options); }
Result<std::uint64_t> parse_workarounds(std::string_view text) { return parse_bits(text, workarounds); }
}
