#include "tls_policy.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "config.h"
#include "log/log.h"

namespace smtp {
Result<TlsPolicy> tls_policy_for(const Config& config, const Destination& destination, bool optional) {
    TlsPolicy p;
    std::string_view key = destination.text;
    if (key.starts_with("unix:") || key.starts_with("inet:"))
        key.remove_prefix(5);
    p.site.key = key;
    p.site.nexthop = destination.path ? config.myhostname : destination.host;
    p.site.domain = !destination.path && key.find_first_of("[]:") == key.npos;
    p.site.path = destination.path;
    TRY_ASSIGN(p.policy, config.tls_policies->find(p.site));
    if (optional && p.policy.level > tls::Level::may) {  // RFC 8689, section 3
        p.policy.level = tls::Level::may;
        p.policy.sts.reset();
    }
    p.wish = p.policy.level == tls::Level::none ? "none" : fmt::format("{}?", tls::name_of(p.policy.level));
    p.identity = fmt::format("{} {}", static_cast<int>(p.policy.level),
                             tls::demand_of(p.policy, p.site, "", config.tls_digest).description());
    return p;
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
Result<tls::Policy> held_to(const Config& config, const tls::Policy& policy, const tls::Site& site,
                            const std::string& host, TlsReport& report) {
    auto here = config.tls_policies->for_host(policy, site, host);
    if (here || !policy.sts || tls::names_host(*policy.sts, host))
        return here;
    tell(report, *policy.sts, host);
    report.failed(ResultType::validation_failure, "");
    return here;
}

TlsPlan plan_of(const Config& config, const TlsPolicy& policy, const tls::Policy& here, const std::string& host,
                TlsReport& report) {
    TlsPlan plan;
    plan.level = here.level;
    plan.demand = tls::demand_of(here, policy.site, host, config.tls_digest);
    plan.log_key = policy.site.key;
    plan.reuse = here.connection_reuse;
    plan.status = tls::name_of(here.level);
    plan.wish = here.level == tls::Level::none ? "none" : plan.status + "?";
    plan.demand.public_authorities = here.sts && here.sts->built_in;
    if (here.sts)
        tell(report, *here.sts, host);
    plan.unmeetable = here.sts && here.sts->failure && tls::verified(here.level);
    if (here.sts && here.sts->testing) {  // the library compares; nothing comes of it but a line in the log
        plan.testing_for = here.sts->domain;
        plan.demand.names = {bytes::lowered(host)};
        plan.demand.server_name = host;
    }
    return plan;
}

// What levels dane and dane-only come to at this host (RFC 7672, section 2.2): its TLSA records, or what holds where
// there are none.
Result<TlsPlan> dane_plan(const Config& config, const TlsPolicy& policy, const tls::Policy& here,
                          const Endpoint& endpoint, TlsReport& report) {
    using State = tls::TlsaSet::State;
    auto problem = [&](std::string why) {
        maillog::warning("TLS policy lookup for {}/{}: {}", policy.site.key, endpoint.name, why);
        return temporary(std::move(why), {4, 7, 5});
    };
    auto required = [&](const char* why) {
        report.by_policy(PolicyType::tlsa, endpoint.name, {});
        report.failed(ResultType::dane_required, why);
        return problem(why);
    };
    auto without_records = [&]() -> Result<TlsPlan> {
        if (here.without_tlsa) {
            TRY_ASSIGN(tls::Policy other, held_to(config, *here.without_tlsa, policy.site, endpoint.name, report));
            return plan_of(config, policy, other, endpoint.name, report);
        }
        tls::Policy may = here;
        may.level = tls::Level::may;
        return plan_of(config, policy, may, endpoint.name, report);
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
    TlsPlan plan = plan_of(config, policy, here, endpoint.name, report);
    report.by_policy(PolicyType::tlsa, set.base, std::move(set.texts));
    plan.demand.mandatory = true;
    if (set.state == State::unusable) {
        maillog::warning("{}: all TLSA records unusable{}", where, only ? "" : ", fallback to unauthenticated TLS");
        report.foresee(ResultType::tlsa_invalid, "all TLSA records unusable");
        if (only)
            report.failed(ResultType::tlsa_invalid, "");
        if (only)
            return temporary("Server certificate not verified", {4, 7, 5});
    }
    if (set.state == State::unusable || (!endpoint.secure_name && config.insecure_mx_level == tls::Level::encrypt)) {
        plan.demand.level = tls::Level::encrypt;
        plan.demand.names.clear();
        plan.status = "dane:encrypt";
        return plan;
    }
    plan.demand.level = endpoint.secure_name ? tls::Level::dane : tls::Level::half_dane;
    if (!endpoint.secure_name)
        plan.status = "dane:halfdane";
    plan.demand.records = std::move(set.records);
    plan.demand.names.push_back(bytes::lowered(set.base));
    plan.demand.server_name = set.base;
    return plan;
}
}

Result<TlsPlan> tls_plan_for(const Config& config, const TlsPolicy& policy, const Endpoint& endpoint,
                             TlsReport& report) {
    TRY_ASSIGN(tls::Policy here, held_to(config, policy.policy, policy.site, endpoint.name, report));
    bool dane = here.level == tls::Level::dane || here.level == tls::Level::dane_only;
    TRY_ASSIGN(TlsPlan plan, dane ? dane_plan(config, policy, here, endpoint, report)
                                  : Result<TlsPlan>(plan_of(config, policy, here, endpoint.name, report)));
    if (config.wrapper_mode && !plan.must())
        return temporary(
            fmt::format("TLS wrapper mode requires security level \"encrypt\" or stronger for {}", policy.site.key),
            {4, 7, 5});
    if (plan.must() && !config.tls)
        return temporary("TLS is required, but our TLS engine is unavailable", {4, 7, 5});
    return plan;
}
}
