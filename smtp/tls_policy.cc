#include "tls_policy.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "config.h"
#include "log/log.h"

namespace smtp {
Result<tls::Policy> tls_policy_for(const Config& config, const Destination& destination, bool optional) {
    tls::Site site;
    std::string_view key = destination.text;
    if (key.starts_with("unix:") || key.starts_with("inet:"))
        key.remove_prefix(5);
    site.key = key;
    site.nexthop = destination.path ? config.myhostname : destination.host;
    site.domain = !destination.path && key.find_first_of("[]:") == key.npos;
    site.path = destination.path;
    TRY_ASSIGN(tls::Policy policy, config.tls_policies->find(site));
    if (optional && policy.level > tls::Level::may) {  // RFC 8689, section 3
        policy.level = tls::Level::may;
        policy.sts.reset();
    }
    return policy;
}

namespace {
using ipc::tlsrpt::PolicyType;
using ipc::tlsrpt::ResultType;

// The policy as a report shows it, and what it says of this host before the host is asked.
void tell(TlsReport& report, const tls::Sts& sts, const std::string& host) {
    report.by_policy(sts.found ? PolicyType::sts : PolicyType::no_policy_found, sts.domain, sts.lines, sts.hosts);
    if (sts.failure)
        report.foresee(*sts.failure, "");
    else if (!tls::names_host(sts, host))
        report.foresee(ResultType::validation_failure, "the MTA-STS policy does not name the mail server");
}

// The policy for this host. A host that the domain's MTA-STS policy rules out is a result for the report as well.
Result<tls::Policy> held_to(const Config& config, const tls::Policy& policy, const std::string& host,
                            TlsReport& report) {
    auto here = config.tls_policies->for_host(policy, host);
    if (here || !policy.sts || tls::names_host(*policy.sts, host))
        return here;
    tell(report, *policy.sts, host);
    report.failed(ResultType::validation_failure, "");
    return here;
}

tls::Demand demand_here(const tls::Policy& here, const std::string& host, TlsReport& report) {
    if (here.sts)
        tell(report, *here.sts, host);
    return tls::demand_of(here, host);
}

// What levels dane and dane-only come to at this host (RFC 7672, section 2.2): its TLSA records, or what holds where
// there are none.
Result<tls::Demand> dane_demand(const Config& config, const tls::Policy& here, const Endpoint& endpoint,
                                TlsReport& report) {
    using State = tls::TlsaSet::State;
    auto problem = [&](std::string why) {
        maillog::warning("TLS policy lookup for {}/{}: {}", here.site.key, endpoint.name, why);
        return temporary(std::move(why), {4, 7, 5});
    };
    auto required = [&](const char* why) {
        report.by_policy(PolicyType::tlsa, endpoint.name, {});
        report.failed(ResultType::dane_required, why);
        return problem(why);
    };
    auto without_records = [&]() -> Result<tls::Demand> {
        if (here.without_tlsa) {
            TRY_ASSIGN(tls::Policy other, held_to(config, *here.without_tlsa, endpoint.name, report));
            return demand_here(other, endpoint.name, report);
        }
        tls::Policy may = here;
        may.level = tls::Level::may;
        return demand_here(may, endpoint.name, report);
    };
    bool only = here.level == tls::Level::dane_only;
    if (!config.tls || !config.tls->dane())
        return only ? problem("DANE is not available") : without_records();
    if (!endpoint.secure_name && only)
        return required("non DNSSEC destination");
    if (!endpoint.secure_name && config.insecure_mx_level == tls::Level::may)
        return without_records();
    const std::string where = endpoint.label_with_port();
    tls::TlsaSet set;
    if (!endpoint.lookup.name.empty())
        set = config.tls->dane()->find(endpoint.lookup, static_cast<std::uint16_t>(endpoint.address.port()),
                                       config.force_tlsa_lookup, where);
    if (set.state == State::unknown) {
        report.by_policy(PolicyType::tlsa, endpoint.name, {});
        report.failed(ResultType::dnssec_invalid, set.reason);
        return problem(set.reason);
    }
    if (set.state == State::none)
        return only ? required("no TLSA records found") : without_records();
    tls::Demand demand = demand_here(here, endpoint.name, report);
    report.by_policy(PolicyType::tlsa, set.base, std::move(set.texts));
    demand.mandatory = true;
    if (set.state == State::unusable) {
        maillog::warning("{}: all TLSA records unusable{}", where, only ? "" : ", fallback to unauthenticated TLS");
        report.foresee(ResultType::tlsa_invalid, "all TLSA records unusable");
        if (only)
            report.failed(ResultType::tlsa_invalid, "");
        if (only)
            return temporary("Server certificate not verified", {4, 7, 5});
    }
    if (set.state == State::unusable || (!endpoint.secure_name && config.insecure_mx_level == tls::Level::encrypt)) {
        demand.level = tls::Level::encrypt;
        demand.names.clear();
        return demand;
    }
    demand.level = endpoint.secure_name ? tls::Level::dane : tls::Level::half_dane;
    demand.records = std::move(set.records);
    demand.names.push_back(bytes::lowered(set.base));
    demand.server_name = set.base;
    return demand;
}
}

Result<tls::Demand> tls_demand_for(const Config& config, const tls::Policy& policy, const Endpoint& endpoint,
                                   TlsReport& report) {
    TRY_ASSIGN(tls::Policy here, held_to(config, policy, endpoint.name, report));
    bool dane = here.level == tls::Level::dane || here.level == tls::Level::dane_only;
    TRY_ASSIGN(tls::Demand demand, dane ? dane_demand(config, here, endpoint, report)
                                        : Result<tls::Demand>(demand_here(here, endpoint.name, report)));
    if (config.wrapper_mode && !demand.mandatory)
        return temporary(
            fmt::format("TLS wrapper mode requires security level \"encrypt\" or stronger for {}", policy.site.key),
            {4, 7, 5});
    if (demand.mandatory && !config.tls)
        return temporary("TLS is required, but our TLS engine is unavailable", {4, 7, 5});
    demand.require_tls = policy.require_tls;
    return demand;
}
}
