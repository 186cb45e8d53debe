#include "tls/demand.h"
#include <fmt/format.h>
#include <openssl/sha.h>
#include "base/bytes.h"

namespace tls {
namespace {
struct Name {
    Level level;
    std::string_view text;
};
constexpr Name names[] = {
    {Level::none, "none"},           {Level::may, "may"},
    {Level::encrypt, "encrypt"},     {Level::dane, "dane"},
    {Level::dane_only, "dane-only"}, {Level::fingerprint, "fingerprint"},
    {Level::verify, "verify"},       {Level::secure, "secure"},
};
}

std::string_view name_of(Level level) {
    if (level == Level::half_dane)
        level = Level::dane;
    for (const Name& n : names)
        if (n.level == level)
            return n.text;
    return "?";
}

std::optional<Level> parse_level(std::string_view text) {
    for (const Name& n : names)
        if (bytes::iequals(n.text, text))
            return n.level;
    return std::nullopt;
}

std::string Demand::description() const {
    std::string text =
        fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n", static_cast<int>(level), mandatory, protocols, ciphers,
                    exclude ? "=" + *exclude : "", digest, server_name, raw_public_keys, minimum_bits);
    if (public_authorities)
        text += "public\n";
    for (const std::string& name : this->names)
        text += name + "\n";
    for (const Tlsa& r : records)
        text += fmt::format("{} {} {} {}\n", r.usage, r.selector, r.matching, bytes::hex_encode(r.data));
    return text;
}

std::string Demand::identity() const {
    const std::string text = description();
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
    return bytes::hex_encode(std::string_view(reinterpret_cast<char*>(hash), sizeof hash));
}
}
