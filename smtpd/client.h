// Who is at the other end: what the connection, TLS, the name service, HELO, XCLIENT and XFORWARD say of it. XCLIENT
// puts another Client in the place of the connection's.
//
// When things fail: a name that cannot be found or proven is "unknown"; a list of hosts that cannot tell says no.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include "base/error.h"
#include "dns/host.h"
#include "net/address.h"

namespace net {
class Stream;
}
namespace tls {
struct Info;
}

namespace smtpd {
class Service;

// What is done about lines that end in LF alone (smtpd_forbid_bare_newline).
enum class BareNewline : unsigned char { no, normalize, note, reject };

class Client {
public:
    // peer: the other end of the connection, or whom the balancer in front of us names (then server_address is known).
    // Looks its names up.
    void connected(Service& service, const net::Stream& stream, const net::Address& peer);
    // The same, before anybody has judged it and without HELO: what XCLIENT begins with.
    Client anew() const;
    void show(bool with_port);  // makes `shown`

    bool here() const { return family == 0 && address != "unknown"; }
    // These ask the administrator's lists once for each client.
    bool in_mynetworks(const Service& service);
    bool may_forward(const Service& service);  // XFORWARD: as the connection itself was, whatever XCLIENT says
    BareNewline bare_newline(const Service& service);
    // What TLS says of the certificate that the client showed; null: none.
    const tls::Info* certificate() const;
    // Is it in relay_clientcerts, by fingerprint? One that was revoked never is.
    Result<bool> certificate_listed(const Service& service) const;

    std::string name = "unknown";          // confirmed by a forward look-up
    std::string reverse_name = "unknown";  // what the address claims
    dns::NameStatus name_status = dns::NameStatus::ok, reverse_status = dns::NameStatus::ok;
    std::string address = "unknown";  // text; "unknown" where there is none
    std::string literal;              // as Received: shows it: "192.0.2.1", "IPv6:2001:db8::1"
    int family = 0;                   // AF_INET, AF_INET6; 0: this machine's, or not known (XCLIENT)
    std::string port = "unknown";
    std::string server_address, server_port;
    std::string shown = "unknown[unknown]";         // "name[address]", for log lines
    std::string helo;                               // what it calls itself; empty before HELO
    bool esmtp = false;                             // with EHLO
    std::string login;                              // what XCLIENT said who logged in
    std::shared_ptr<const tls::Info> encryption{};  // what TLS says of the connection; absent: in the clear
    unsigned discarded = 0;                         // EHLO keywords that it is not offered

private:
    std::optional<bool> mynetworks_, may_forward_;
    std::optional<BareNewline> bare_newline_;
};

// What XFORWARD said of the client of the system before us, for the log; an absent value is unknown. For one message.
struct Forwarded {
    std::string name, address, port, helo, protocol, ident;
    std::string source;         // "local", "remote"
    std::string shown() const;  // "name[address]", "name", "unknown"
};
}
