// The TXT record _smtp._tls.DOMAIN that says where reports go (RFC 8460, section 3), pure: outside bytes in, checked
// destinations out.
//
//     v=TLSRPTv1; rua=mailto:tls@example.org,https://reports.example.org/v1/tls
//
// When things fail: an Error that says what is wrong; of a list, members that are of no use are left out.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"

namespace tlsrpt {
inline constexpr std::size_t record_limit = 4000, uri_limit = 1000;  // bytes
inline constexpr std::size_t destinations_limit = 5;  // of a record: who asks for more asks for others' mail

struct Uri {
    std::string text;     // as the record has it
    std::string address;  // of mailto:, local@domain, ASCII; empty for https:
    bool mail() const { return !address.empty(); }
};
// An https: URL, or a mailto: of one address without header fields; absent for anything else.
std::optional<Uri> parse_uri(std::string_view text);
Result<std::vector<Uri>> parse_record(std::string_view record);
// The one of these that is a TLSRPT record; absent where there is none, or more than one.
std::optional<std::string> select_record(const std::vector<std::string>& txt);
}
