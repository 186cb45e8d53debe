// Addresses and networks as cidr: tables and match lists write them. Private to lib/table.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include "base/error.h"

namespace table {
struct Ip {
    std::array<std::uint8_t, 16> bytes{};  // IPv4: the first four
    bool v6 = false;
    unsigned bits() const { return v6 ? 128 : 32; }
    static std::optional<Ip> parse(std::string_view text);  // without brackets
    std::string text() const;
    friend bool operator==(const Ip&, const Ip&) = default;
};

struct Network {
    Ip address;
    unsigned length = 32;
    // "1.2.3.4", "10.0.0.0/8", "2001:db8::/32", "[::1]", "[2001:db8::]/32". The Error's reason is in the words of cidr:
    // warnings.
    static Result<Network> parse(std::string_view text);
    bool contains(const Ip& ip) const;
};
}
