#include "access/arguments.h"
#include <algorithm>
#include "base/bytes.h"

namespace smtpd {
Result<CertificateSearch> CertificateSearch::parse(std::string_view text) {
    static constexpr std::pair<std::string_view, CertificateKey> known[] = {
        {"cert_fingerprint", CertificateKey::cert_fingerprint},
        {"pubkey_fingerprint", CertificateKey::pubkey_fingerprint},
        {"issuer_cn", CertificateKey::issuer_cn},
        {"subject_cn", CertificateKey::subject_cn},
        {"issuer_dn", CertificateKey::issuer_dn},
        {"subject_dn", CertificateKey::subject_dn}};
    auto inside = [](std::string_view t) {
        return t.size() > 1 && t.front() == '{' && t.back() == '}' ? bytes::trim(t.substr(1, t.size() - 2))
                                                                   : std::string_view();
    };
    CertificateSearch out;
    std::vector<std::string_view> pieces{text};
    if (text.starts_with('{'))
        pieces = bytes::split_outside_braces(inside(text), ", \t\r\n");
    if (pieces.empty() || pieces[0].find(':') == text.npos)
        return permanent("bad argument \"" + std::string(text.substr(0, 200)) + "\": need maptype:mapname");
    out.table = pieces[0];
    for (std::size_t i = 1; i < pieces.size(); ++i) {
        auto [name, value] = bytes::cut(inside(pieces[i]), '=');
        if (bytes::trim(name) != "search_order" || !value)
            return permanent("bad attribute \"" + std::string(pieces[i].substr(0, 200)) +
                             "\": need { search_order = … }");
        for (std::string_view word : bytes::split(*value, ", \t\r\n")) {
            auto at = std::find_if(std::begin(known), std::end(known), [&](const auto& k) { return k.first == word; });
            if (at == std::end(known))
                return permanent("unexpected key \"" + std::string(word.substr(0, 100)) + "\" in search_order");
            out.keys.push_back(at->second);
        }
    }
    if (out.keys.empty())
        out.keys = {CertificateKey::cert_fingerprint, CertificateKey::pubkey_fingerprint};
    return out;
}

bool DnsList::matches(std::string_view ipv4) const {
    if (octets[0].empty())
        return true;
    std::vector<std::string_view> parts = bytes::split(ipv4, ".");
    if (parts.size() != 4)
        return false;
    for (int i = 0; i < 4; ++i) {
        auto n = bytes::to_int(parts[static_cast<std::size_t>(i)]);
        if (!n || std::none_of(octets[i].begin(), octets[i].end(),
                               [&](const Range& r) { return *n >= r.from && *n <= r.to; }))
            return false;
    }
    return true;
}

// d.d.d.d, each d a number or "[n;n..m]".
Result<DnsList> DnsList::parse(std::string_view text) {
    auto bad = [&] {
        return permanent("bad DNS list \"" + std::string(text.substr(0, 200)) +
                         "\": domain or domain=d.d.d.d is expected, each d a number or [first..last;number]");
    };
    DnsList out;
    auto [domain, filter] = bytes::cut(text, '=');
    if (domain.empty())
        return bad();
    out.domain = domain;
    if (!filter)
        return out;
    std::string_view rest = *filter;
    auto number = [&](unsigned char& n) {
        std::size_t digits = 0;
        while (digits < rest.size() && digits < 4 && bytes::is_digit(rest[digits]))
            ++digits;
        auto value = bytes::to_int(rest.substr(0, digits));
        if (!value || *value > 255)
            return false;
        n = static_cast<unsigned char>(*value);
        rest.remove_prefix(digits);
        return true;
    };
    for (int i = 0; i < 4; ++i) {
        if (i > 0) {
            if (!rest.starts_with('.'))
                return bad();
            rest.remove_prefix(1);
        }
        bool several = rest.starts_with('[');
        if (several)
            rest.remove_prefix(1);
        do {
            Range r{};
            if (!number(r.from))
                return bad();
            r.to = r.from;
            if (several && rest.starts_with("..")) {
                rest.remove_prefix(2);
                if (!number(r.to) || r.to < r.from)
                    return bad();
            }
            out.octets[i].push_back(r);
        } while (several && rest.starts_with(';') && (rest.remove_prefix(1), true));
        if (several) {
            if (!rest.starts_with(']'))
                return bad();
            rest.remove_prefix(1);
        }
    }
    if (!rest.empty())
        return bad();
    return out;
}
}
