// What TLS is wanted for a destination (main.cf's level, its entry in smtp_tls_policy_maps, MTA-STS; REQUIRETLS), and
// what a session with each of its hosts must then show (the names of the policy; for DANE the host's records).
// TLS_POLICY_PATH.md walks one policy through the files.
//
// When things fail: an Error 4.7.5; mail stays queued. It is never sent with less than was demanded.
#pragma once
#include "base/error.h"
#include "endpoint.h"
#include "tls/policy.h"
#include "tlsrpt.h"

namespace smtp {
// Once a destination. optional: the sender wants no more than level may ("TLS-Required: no"). May wait (tables).
Result<tls::Policy> tls_policy_for(const Config& config, const Destination& destination, bool optional = false);
// Once a host. report learns what the host is held to, and what rules it out beforehand. May wait (tables; for dane:
// DNS).
Result<tls::Demand> tls_demand_for(const Config& config, const tls::Policy& policy, const Endpoint& endpoint,
                                   TlsReport& report);
}
