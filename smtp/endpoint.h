// Where mail goes: a destination as qmgr or main.cf writes it, and the hosts that stand behind it, best first.
//
//     example.org   example.org:587   [mail.example.org]   [192.0.2.1]:25   [2001:db8::1]   unix:private/dovecot-lmtp
//     (LMTP) example.org:submission          by SRV records where use_srv_lookup names the service inet:host:port
//     (LMTP)           several, separated by blanks or commas, are tried one after the other
//
// When things fail: HostList::why has what the log and the sender are told; temporary or permanent by its status.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "net/address.h"
#include "tls/dane.h"

namespace smtp {
struct Config;

struct Destination {
    std::string text;         // as written: the key for TLS policies and kept connections
    std::string host;         // without brackets; ASCII
    std::string port;         // a number
    bool exchangers = false;  // look up MX
    std::string service;      // look up SRV of this service first (use_srv_lookup); empty: none
    bool path = false;        // host is the path of a UNIX-domain socket
};
// One destination of a list. An Error (4.3.5) where it makes no sense.
Result<Destination> parse_destination(const Config& config, std::string_view text);

struct Endpoint {
    std::string name;  // "mx.example.org"
    net::Address address;
    std::uint16_t preference = 0;
    std::string path;           // UNIX-domain
    tls::HostLookup lookup{};   // how the address was found; no name: not by DNS
    bool secure_name = true;    // nobody could have forged the way to the host's name: it is the destination's own, or
                                // DNSSEC vouches for the MX
    std::string label() const;  // "mx.example.org[192.0.2.1]", "myhost[private/lmtp]"
    std::string label_with_port() const;  // …:25; a path has none
};

struct HostList {
    std::vector<Endpoint> endpoints;
    std::optional<Error> why;  // set where there are none
    std::uint16_t best_preference = 0;
    bool loops = false;        // why: the best host is this one
    bool nearer_only = false;  // this host is an exchanger of the domain itself, not the best: no relay but the nearer
                               // ones may have the mail, another would hand it back
};
HostList find_hosts(const Config& config, const Destination& destination);
}
