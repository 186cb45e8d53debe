#include "conf/idna.h"

#include <unicode/uidna.h>

#include <memory>

#include "base/bytes.h"

namespace conf {
std::optional<std::string> domain_to_ascii(std::string_view domain) {
    if (bytes::is_ascii(domain))
        return std::string(domain);
    if (domain.size() > 1024)
        return std::nullopt;
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<UIDNA, decltype(&uidna_close)> idna(
        uidna_openUTS46(UIDNA_USE_STD3_RULES | UIDNA_NONTRANSITIONAL_TO_ASCII, &status), uidna_close);
    if (U_FAILURE(status))
        return std::nullopt;
    UIDNAInfo info = UIDNA_INFO_INITIALIZER;
    std::string out(2048, '\0');
    std::int32_t length = uidna_nameToASCII_UTF8(idna.get(), domain.data(), static_cast<std::int32_t>(domain.size()),
                                                 out.data(), static_cast<std::int32_t>(out.size()), &info, &status);
    if (U_FAILURE(status) || info.errors != 0 || length < 0 || static_cast<std::size_t>(length) > out.size())
        return std::nullopt;
    out.resize(static_cast<std::size_t>(length));
    return out;
}
}
