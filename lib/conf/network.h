// What inet_protocols and known_tcp_ports say, for whoever listens or connects.
//
// When things fail: an Error with the word that is none; a port that nobody knows is absent.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include "base/error.h"

namespace conf {
class Settings;

struct Families { bool ipv4 = true, ipv6 = true; };
// inet_protocols: "all", or ipv4 and ipv6 in any order.
Result<Families> families(std::string_view inet_protocols);
// The number, as text, of a port that is written as number or name: known_tcp_ports first, then services(5).
std::optional<std::string> port_number(const Settings& settings, std::string_view port);
}
