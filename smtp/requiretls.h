// REQUIRETLS (RFC 8689) towards one host: what smtp_requiretls_policy makes of a sender's demand, and whether a
// connection meets it.
//
// When things fail: a policy that cannot be read is an Error (4.3.5), and mail waits. A host that does not meet the
// demand is passed over; where no other is left, the message goes back to its sender.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>
#include "base/error.h"
#include "table/maps.h"

namespace smtp {
class Peer;
struct Refusal;
struct TlsPlan;

enum class RequireTls : std::uint8_t {
    no,             // not demanded, or the policy is "disable"
    opportunistic,  // passed on to servers that know it
    with_starttls,  // and never in the clear
    enforce,        // only to servers that prove who they are and know it
};

class RequireTlsPolicy {
public:
    static RequireTlsPolicy open(std::string_view parameter, std::string_view text,
                                 const table::OpenOptions& options = {});
    // nexthop: without brackets and port. May wait (tables).
    Result<RequireTls> find(const std::string& nexthop) const;

private:
    std::string parameter_;
    std::vector<std::variant<std::string, table::Maps>> items_;  // an action, or a table that has them
};

// Before a connection: why this plan cannot do, plan.wish then says so in the log; absent: go on.
std::optional<Refusal> objection(TlsPlan& plan, const std::string& nexthop);
// After the handshake, whatever came of it: the demand's part of peer.tls_status, and a refusal of its own where it is
// not met.
void judge_demand(Peer& peer, const TlsPlan& plan, std::optional<Refusal>& refusal);
}
