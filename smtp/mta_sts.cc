#include "mta_sts.h"
#include <algorithm>
#include "base/bytes.h"
#include "conf/params/tls.h"
#include "log/log.h"

namespace smtp {
namespace {
using namespace std::chrono_literals;
constexpr auto patience = 5s;  // it answers from what it has: in milliseconds, mostly
}

MtaSts::MtaSts(const conf::Settings& settings, bool enforce)
    : client_("private/" + settings[param::mta_sts_service_name], patience), enforce_(enforce) {}

// What the service says; while it says nothing, what it last said of this domain.
std::optional<ipc::StsReply> MtaSts::ask(const std::string& domain) {
    const loop::Deadline begin = loop::Clock::now();
    auto last_known = [&]() -> std::optional<ipc::StsReply> {
        auto it = known_.find(domain);
        if (it == known_.end() || begin >= it->second.until)
            return std::nullopt;
        return it->second.reply;
    };
    if (begin < quiet_until_)
        return last_known();
    auto reply = client_.ask<ipc::StsReply>(ipc::StsRequest{domain});
    const loop::Deadline now = loop::Clock::now();
    if (reply) {
        if (known_.size() >= known_limit)
            known_.clear();
        if (reply->mode.empty())
            known_.erase(domain);
        else
            known_[domain] = {*reply,
                              now + std::chrono::seconds(std::clamp<std::int64_t>(reply->max_age, 0, 24 * 3600))};
        return std::move(*reply);
    }
    if (now - begin >= patience)
        quiet_until_ = now + 30s;
    if (now >= told_until_) {
        told_until_ = now + 30s;
        maillog::warning("MTA-STS: {}: going on with what is known of destinations", reply.error().reason);
    }
    return last_known();
}

Result<std::optional<tls::Policy>> MtaSts::find(const tls::Policies& policies, const tls::Site& site) {
    if (!site.domain)
        return std::optional<tls::Policy>();  // the policy of a domain is about its MX
    auto known = ask(bytes::lowered(site.nexthop));
    if (!known)
        return std::optional<tls::Policy>();
    if (auto failure = ipc::tlsrpt::parse_result_type(
            known->failure)) {  // nothing to hold a server to: it is for the report alone
        tls::Policy policy = policies.of_level(tls::Level::may);
        policy.sts = tls::Sts{.domain = site.nexthop, .failure = failure};
        return std::optional(std::move(policy));
    }
    if (known->mode != "enforce" && known->mode != "testing")
        return std::optional<tls::Policy>();
    bool enforce = enforce_ && known->mode == "enforce";
    tls::Policy policy = policies.of_level(enforce ? tls::Level::secure : tls::Level::may);
    policy.match = {"hostname"};
    policy.server_name = "hostname";
    tls::Sts sts;
    sts.domain = site.nexthop;
    sts.lines = {"version: STSv1", "mode: " + known->mode};
    for (const std::string& host : known->hosts)
        sts.lines.push_back("mx: " + host);
    sts.lines.push_back("max_age: " + std::to_string(known->max_age));
    sts.hosts = std::move(known->hosts);
    sts.built_in = true;
    sts.testing = !enforce;
    policy.sts = std::move(sts);
    return std::optional(std::move(policy));
}
}
