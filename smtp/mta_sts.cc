#include "mta_sts.h"
#include "conf/params/tls.h"
#include "log/log.h"

namespace smtp {
namespace {
using namespace std::chrono_literals;
}

MtaSts::MtaSts(const conf::Settings& settings, bool enforce) : client_("private/" + settings[param::mta_sts_service_name], 10s), enforce_(enforce) {}

Result<std::optional<tls::Policy>> MtaSts::find(const tls::Policies& policies, const tls::Site& site) {
    if (!site.domain || loop::Clock::now() < quiet_until_) return std::optional<tls::Policy>();   // the policy of a domain is about its MX
    auto known = client_.ask<ipc::StsReply>(ipc::StsRequest{site.nexthop});
    if (!known) {
        quiet_until_ = loop::in(30s);
        maillog::warning("MTA-STS: {}: going on without", known.error().reason);
        return std::optional<tls::Policy>();
    }
    if (auto failure = ipc::tlsrpt::parse_result_type(known->failure)) {   // nothing to hold a server to: it is for the report alone
        tls::Policy policy = policies.of_level(tls::Level::may);
        policy.sts = tls::Sts{.domain = site.nexthop, .failure = failure};
        return std::optional(std::move(policy));
    }
    if (known->mode != "enforce" && known->mode != "testing") return std::optional<tls::Policy>();
    bool enforce = enforce_ && known->mode == "enforce";
    tls::Policy policy = policies.of_level(enforce ? tls::Level::secure : tls::Level::may);
    policy.match = {"hostname"};
    policy.server_name = "hostname";
    tls::Sts sts;
    sts.domain = site.nexthop;
    sts.lines = {"version: STSv1", "mode: " + known->mode};
    for (const std::string& host : known->hosts) sts.lines.push_back("mx: " + host);
    sts.lines.push_back("max_age: " + std::to_string(known->max_age));
    sts.hosts = std::move(known->hosts);
    sts.built_in = true;
    sts.testing = !enforce;
    policy.sts = std::move(sts);
    return std::optional(std::move(policy));
}
}
