// An MTA-STS policy (RFC 8461) and the TXT record that announces it, pure: bytes from outside in, checked values out.
//
// When things fail: an Error that says what is wrong with the text; nothing of it is used then.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"

namespace mta_sts {
inline constexpr std::int64_t max_age_limit = 31557600;  // a year; RFC 8461, section 3.2
inline constexpr std::size_t policy_limit = 64 * 1024;   // bytes; section 3.3
inline constexpr std::size_t hosts_limit = 200;

struct StsPolicy {
    std::string mode;  // "enforce", "testing", "none"
    std::int64_t max_age = 0;
    std::vector<std::string> hosts;  // "mx.example.org", "*.example.net"; lower case; at least one unless mode is none
};
Result<StsPolicy> parse_policy(std::string_view text);

// The id of the one record of these that is "v=STSv1; id=…;" (section 3.1); absent where there is none, or more than
// one.
std::optional<std::string> announced_id(const std::vector<std::string>& txt);

// What is kept of a domain between runs.
struct Cached {
    std::string id;
    std::int64_t fetched = 0;  // seconds since 1970
    std::int64_t asked = 0;    // by mail, to the hour
    StsPolicy policy;
    bool fresh(std::int64_t now) const { return now >= fetched && now - fetched < policy.max_age; }
    std::string text() const;  // one line
    static std::optional<Cached> parse(std::string_view line);
};
}
