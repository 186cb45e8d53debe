// The argument of check_ccert_access.
#include <algorithm>
#include "access/list.h"
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
}
