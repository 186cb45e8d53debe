// What one destination demands of TLS (main.cf's level, its entry in smtp_tls_policy_maps …), and what that means for
// each of its hosts.
//
// When things fail: an Error 4.7.5; mail stays queued. It is never sent with less than was demanded.
#pragma once
#include <string>
#include "base/error.h"
#include "endpoint.h"
#include "requiretls.h"
#include "tls/policy.h"
#include "tlsrpt.h"

namespace smtp {
struct TlsPolicy {
    tls::Site site;
    tls::Policy policy;
    std::string wish;      // tls= before there is a host: "may?", "none"
    std::string identity;  // tells kept connections of one policy from those of another
};
// Once a destination. optional: the sender wants no more than level may ("TLS-Required: no"). May wait (tables).
Result<TlsPolicy> tls_policy_for(const Config& config, const Destination& destination, bool optional = false);

// For one host: what the handshake is told.
struct TlsPlan {
    tls::Level level = tls::Level::none;  // as logged; demand.level is what the handshake makes of it
    tls::Demand demand;
    bool reuse = false;         // a connection under TLS may be kept
    std::string log_key;        // smtp_tls_loglevel_maps is asked for this first
    std::string wish = "none";  // tls= until the server has shown what it can
    std::string testing_for;    // the domain whose MTA-STS policy is only tried out
    std::string status;         // tls= once TLS is there: the level, "dane:halfdane" …
    bool unmeetable = false;    // the MTA-STS policy is known to be no good, and demands: no server meets it
    bool wanted() const { return level != tls::Level::none; }
    RequireTls require_tls = RequireTls::no;  // what REQUIRETLS comes to here
    bool must() const { return demand.mandatory || require_tls >= RequireTls::with_starttls; }
};
// Once a host. report learns what the host is held to, and what rules it out beforehand. May wait (tables; for dane:
// DNS).
Result<TlsPlan> tls_plan_for(const Config& config, const TlsPolicy& policy, const Endpoint& endpoint,
                             TlsReport& report);
}
