// Where a destination leads: its hosts, best first, and what DNSSEC says of the way there.
//
//     example.org   example.org:587   [mail.example.org]   [192.0.2.1]:25   [ipv6:2001:db8::1]   inet:host:port
//     unix:/path (LMTP)
//
// When things fail: an Error whose reason is ready to be shown.
#pragma once
#include <string>
#include <vector>
#include "conf/settings.h"
#include "net/address.h"
#include "options.h"
#include "tls/dane.h"

namespace finger {
struct Destination {
    std::string text, host, path;  // path: a UNIX-domain socket
    std::uint16_t port = 0;
    bool exchangers = false;  // ask for MX records
};
Result<Destination> parse_destination(const Options& options, const conf::Settings& settings);

struct Host {
    std::string name;
    net::Address address;
    tls::HostLookup lookup;                            // where it was found by DNS
    bool exchanger = false, secure_exchanger = false;  // found by an MX record; one that is validated
    std::string label() const;                         // "mx.example.org[192.0.2.1]:25"
};
Result<std::vector<Host>> find_hosts(const Options& options, const conf::Settings& settings,
                                     const Destination& destination);
}
