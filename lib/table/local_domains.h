// What is ours: the domains of mydestination, and domain literals of the addresses that inet_interfaces and
// proxy_interfaces say we receive mail on. For trivial-rewrite, smtpd, cleanup, local and smtp (loops to itself).
//
// When things fail: as MatchList; a name in inet_interfaces that has no address is logged and left out.
#pragma once
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "table/match_list.h"

namespace table {
class LocalDomains {
public:
    LocalDomains() = default;
    static LocalDomains open(const conf::Settings& settings);
    // In mydestination, or "[1.2.3.4]" / "[ipv6:…]" with one of our addresses (with a port not). A final dot is not
    // ours.
    Result<bool> is_local(std::string_view domain) const;
    // The same or $myorigin: where canonical(5), virtual(5) … also look up the bare user.
    Result<bool> rewrites_bare(std::string_view domain) const;
    bool own_address(std::string_view address) const;    // of inet_interfaces
    bool proxy_address(std::string_view address) const;  // of proxy_interfaces

private:
    MatchList mydestination_;
    std::string myorigin_;
    std::vector<std::string> own_, proxy_;
};

// The numeric addresses that inet_interfaces (all, loopback-only, names, addresses, tables) means on this host, for the
// families of inet_protocols. "all" is every address of every interface.
std::vector<std::string> own_addresses(const conf::Settings& settings);
}
