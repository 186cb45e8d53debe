// What inet_protocols and known_tcp_ports say, for whoever listens or connects.
//
// When things fail: an Error with the word that is none; a port that nobody knows is absent.
#pragma once
#include <sys/socket.h>
#include <optional>
#include <string>
#include <string_view>
#include "base/error.h"

namespace conf {
class Settings;

struct Families {
    bool ipv4 = true, ipv6 = true;
    bool has(int family) const { return family == AF_INET ? ipv4 : family == AF_INET6 ? ipv6 : true; }
    int only() const { return ipv4 && ipv6 ? AF_UNSPEC : ipv4 ? AF_INET : AF_INET6; }  // for getaddrinfo(3)
};
// inet_protocols: "all", or ipv4 and ipv6 in any order.
Result<Families> families(std::string_view inet_protocols);
// The number, as text, of a port that is written as number or name: known_tcp_ports first, then services(5).
std::optional<std::string> port_number(const Settings& settings, std::string_view port);
}
