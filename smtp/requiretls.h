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
#include "tls/demand.h"
#include "tls_state.h"

namespace smtp {
class Peer;
struct Refusal;
using tls::RequireTls;

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

// Before a connection: why this demand on the session cannot do; absent: go on.
std::optional<Refusal> objection(const tls::Demand& demand, const std::string& nexthop);
// After the handshake, whatever came of it: what became of the sender's demand, with a refusal of its own where it is
// not met.
RequireTlsState judge_demand(Peer& peer, const tls::Demand& demand, std::optional<Refusal>& refusal);
}
