// The A-label form of a domain name, for ${domain_to_ascii{…}} only: lib/mail has the full conversions. ICU stays in
// the .cc.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace conf {
// UTS 46, nontransitional. ASCII goes through unchanged; absent where IDNA refuses.
std::optional<std::string> domain_to_ascii(std::string_view domain);
}
