// Names and addresses of hosts: by DNS alone, or in the host's own order (nsswitch.conf: the hosts file, then DNS), and
// the name that an SMTP server gives a client, confirmed forwards.
//
// When things fail: a status and the reason, as dns.h has them; nothing is thrown but loop::Cancelled.
#pragma once
#include <string>
#include <string_view>
#include <vector>
#include "conf/network.h"
#include "dns/dns.h"
#include "dns/system.h"

namespace dns {
using conf::Families;

struct Addresses {
    Status status = Status::temporary;
    std::string reason;           // DNS: "Name service error for …"; native: "Temporary failure in name resolution"
    std::vector<Record> records;  // A and AAAA
    std::string canonical;
    bool authenticated = false;  // every address came with AD (Options::dnssec)
    explicit operator bool() const { return status == Status::found; }
    bool temporary() const { return status == Status::temporary; }
};

// A and AAAA records of name; found when either family has some.
Addresses dns_addresses(std::string_view name, Families families, const Options& options = {});
// As getaddrinfo(3) would find them; reasons in its words. Search domains apply to names with fewer dots than ndots.
Addresses native_addresses(std::string_view name, Families families, const Options& options = {});

enum class NameStatus { ok, temporary, permanent, forged };
// A client's name as access rules, Received: and the log show it. "unknown" where there is none that holds.
struct ClientName {
    std::string name = "unknown";                    // confirmed: it leads back to the address
    std::string reverse_name = "unknown";            // what the address claims, confirmed or not
    NameStatus name_status = NameStatus::permanent;  // forged: reverse_name exists and leads elsewhere
    NameStatus reverse_name_status = NameStatus::permanent;
};
// address is text, IPv4 or IPv6 (an IPv4-mapped one counts as IPv4). Logs the usual warning where the forward look-up
// does not confirm.
ClientName client_name(std::string_view address, const Options& options = {});
// The reverse name alone, unconfirmed (smtpd_peername_lookup and reject_unknown_reverse_client_hostname ask for more
// through client_name).
ClientName reverse_client_name(std::string_view address, const Options& options = {});

const System& host_system();  // what open() read
}
