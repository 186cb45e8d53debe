// Internationalized names by ICU: UTS 46 with IDNA2008 rules, or the transitional rules of IDNA2003.
#include <unicode/uidna.h>
#include <unicode/ucasemap.h>
#include <memory>
#include "base/bytes.h"
#include "mail/address.h"

namespace mail {
namespace {
struct CloseIdna {
    void operator()(UIDNA* p) const { uidna_close(p); }
};
struct CloseCaseMap {
    void operator()(UCaseMap* p) const { ucasemap_close(p); }
};

const UIDNA* converter(bool idna2003) {
    const auto open = [](std::uint32_t options) {
        UErrorCode error = U_ZERO_ERROR;
        return std::unique_ptr<UIDNA, CloseIdna>(uidna_openUTS46(options, &error));
    };
    static const auto modern =
        open(UIDNA_CHECK_BIDI | UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE);
    static const auto older = open(UIDNA_CHECK_BIDI);
    return idna2003 ? older.get() : modern.get();
}

using Convert = std::int32_t (*)(const UIDNA*, const char*, std::int32_t, char*, std::int32_t, UIDNAInfo*, UErrorCode*);

std::optional<std::string> convert(Convert function, std::string_view domain, bool idna2003) {
    if (domain.size() > 1024 || !bytes::valid_utf8(domain))
        return {};
    const UIDNA* idna = converter(idna2003);
    if (!idna)
        return {};
    char buffer[2048];
    UErrorCode error = U_ZERO_ERROR;
    UIDNAInfo info = UIDNA_INFO_INITIALIZER;
    const auto length =
        function(idna, domain.data(), static_cast<std::int32_t>(domain.size()), buffer, sizeof buffer, &info, &error);
    if (U_FAILURE(error) || info.errors != 0 || length <= 0)
        return {};
    return std::string(buffer, static_cast<std::size_t>(length));
}
}

std::optional<std::string> to_ascii_domain(std::string_view domain, bool idna2003_compatible) {
    if (bytes::is_ascii(domain))
        return std::string(domain);
    return convert(uidna_nameToASCII_UTF8, domain, idna2003_compatible);
}

std::optional<std::string> to_utf8_domain(std::string_view domain, bool idna2003_compatible) {
    if (bytes::lowered(domain).find("xn--") == std::string::npos)
        return std::string(domain);
    return convert(uidna_nameToUnicodeUTF8, domain, idna2003_compatible);
}

std::string fold_case(std::string_view text) {
    if (bytes::is_ascii(text) || !bytes::valid_utf8(text))
        return bytes::lowered(text);
    static const auto map = [] {
        UErrorCode error = U_ZERO_ERROR;
        return std::unique_ptr<UCaseMap, CloseCaseMap>(ucasemap_open("", U_FOLD_CASE_DEFAULT, &error));
    }();
    if (!map)
        return bytes::lowered(text);
    std::string out(text.size() * 3 + 16, '\0');
    UErrorCode error = U_ZERO_ERROR;
    const auto length = ucasemap_utf8FoldCase(map.get(), out.data(), static_cast<std::int32_t>(out.size()), text.data(),
                                              static_cast<std::int32_t>(text.size()), &error);
    if (U_FAILURE(error))
        return bytes::lowered(text);
    out.resize(static_cast<std::size_t>(length));
    return out;
}
}
