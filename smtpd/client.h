// Who is at the other end: address, and the name that it has a right to.
#pragma once
#include <string>
#include "base/error.h"
#include "dns/host.h"
#include "net/address.h"
#include "net/stream.h"

namespace smtpd {
struct Client {
    std::string name = "unknown";          // confirmed by a forward look-up
    std::string reverse_name = "unknown";  // what the address claims
    dns::Verdict name_status = dns::Verdict::ok, reverse_status = dns::Verdict::ok;
    std::string address = "unknown";  // text; "unknown" where there is none
    std::string literal;              // as Received: shows it: "192.0.2.1", "IPv6:2001:db8::1"
    int family = 0;                   // AF_INET, AF_INET6; 0: this machine's, or not known (XCLIENT)
    bool here() const { return family == 0 && address != "unknown"; }
    std::string port = "unknown";
    std::string server_address, server_port;
    std::string login;                       // what XCLIENT said who logged in
    std::string shown = "unknown[unknown]";  // "name[address]", for log lines
};

// What XFORWARD said of the client of the system before us, for the log; an absent value is unknown. For one message.
struct Forwarded {
    std::string name, address, port, helo, protocol, ident;
    std::string source;         // "local", "remote"
    std::string shown() const;  // "name[address]", "name", "unknown"
};

// What a PROXY header said: the two ends that the balancer sees.
struct Proxied {
    bool local = false;  // a health check: the connection's own ends hold
    net::Address client, server;
};
// Reads a PROXY protocol header, version 1 or 2, and nothing behind it. The Error's reason is for the log.
Result<Proxied> read_proxy_header(net::Stream& stream, loop::Deadline deadline);
// Version 1, without its line end; version 2 behind the signature and length. Pure.
Result<Proxied> parse_proxy_line(std::string_view line);
Result<Proxied> parse_proxy_block(std::string_view block);
}
