#include "tls_policy.h"
#include <fmt/format.h>
#include "config.h"

namespace smtp {
Result<TlsPolicy> tls_policy_for(const Config& config, const Destination& destination) {
    TlsPolicy p;
    std::string_view key = destination.text;
    if (key.starts_with("unix:") || key.starts_with("inet:")) key.remove_prefix(5);
    p.site.key = key;
    p.site.nexthop = destination.path ? config.myhostname : destination.host;
    p.site.domain = !destination.path && key.find_first_of("[]:") == key.npos;
    p.site.path = destination.path;
    TRY_ASSIGN(p.policy, config.tls_policies->find(p.site));
    p.wish = p.policy.level == tls::Level::none ? "none" : fmt::format("{}?", tls::name_of(p.policy.level));
    p.identity = fmt::format("{} {}", static_cast<int>(p.policy.level), tls::demand_of(p.policy, p.site, "", config.tls_digest).identity());
    return p;
}

Result<TlsPlan> tls_plan_for(const Config& config, const TlsPolicy& policy, const Endpoint& endpoint) {
    TRY_ASSIGN(tls::Policy here, config.tls_policies->for_host(policy.policy, policy.site, endpoint.name));
    TlsPlan plan;
    plan.level = here.level;
    plan.demand = tls::demand_of(here, policy.site, endpoint.name, config.tls_digest);
    plan.log_key = policy.site.key;
    plan.reuse = here.connection_reuse;
    plan.wish = here.level == tls::Level::none ? "none" : fmt::format("{}?", tls::name_of(here.level));
    // DANE: here this host's TLSA records go into plan.demand, and decide what level dane comes to.
    if ((here.level == tls::Level::dane || here.level == tls::Level::dane_only) && plan.demand.records.empty())
        return temporary(fmt::format("TLS security level \"{}\" for {} is not available in this version", tls::name_of(here.level), policy.site.key), {4, 7, 5});
    if (config.wrapper_mode && !plan.must())
        return temporary(fmt::format("TLS wrapper mode requires security level \"encrypt\" or stronger for {}", policy.site.key), {4, 7, 5});
    if (plan.must() && !config.tls) return temporary("TLS is required, but our TLS engine is unavailable", {4, 7, 5});
    return plan;
}
}
