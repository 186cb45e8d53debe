#include "delivery.h"
#include <fmt/format.h>
#include <algorithm>
#include "base/bytes.h"
#include "conf/params/rewrite.h"
#include "log/log.h"
#include "ipc/client.h"
#include "handshake.h"
#include "mail/dsn.h"
#include "transaction.h"

namespace smtp {
namespace {
constexpr std::size_t destinations_limit = 100;
constexpr const char* list_separators = " \t\r\n,";

// tls= while there is no connection.
std::string wish(const tls::Demand& demand) {
    bool asked = demand.require_tls != RequireTls::no;
    return tls_feature(demand, TlsState::wished, asked ? RequireTlsState::open : RequireTlsState::not_asked);
}
}

// --- one host

std::optional<tls::Demand> Delivery::demand_for(const tls::Policy& policy, const Endpoint& endpoint,
                                                TlsReport& report) {
    auto demand = tls_demand_for(config_, policy, endpoint, report);
    if (!demand) {
        report.conclude(nullptr);
        out_.fail(demand.error(), tls_wish(policy.level));
        return std::nullopt;
    }
    if (auto no = objection(*demand, policy.site.nexthop)) {
        out_.pass_over(*no, nullptr, tls_feature(*demand, TlsState::wished, no->require_tls));
        return std::nullopt;
    }
    return std::move(*demand);
}

std::unique_ptr<Peer> Delivery::reach(const Endpoint& endpoint, const tls::Policy& policy, const tls::Demand& demand,
                                      TlsReport& report) {
    for (bool without_tls : {false, true}) {
        auto connection = Peer::connect(config_, endpoint);
        if (!connection) {
            if (endpoint.path.empty())
                maillog::info("{}", connection.error().reason);
            out_.unreachable(connection.error(), wish(demand));
            return nullptr;
        }
        Peer& peer = **connection;
        peer.message = {job_.id(), job_.request().arrival_seconds};
        peer.connected = base::wall_now();
        auto refusal = shake_hands(peer, policy, demand, without_tls, report);
        report.conclude(&peer);
        const RequireTlsState required = judge_demand(peer, demand, refusal);
        peer.tls_feature = tls_feature(demand, peer.tls, required);
        peer.connected = base::wall_now();
        if (!refusal) {
            peer.reuse.expires = loop::in(config_.reuse_time);
            peer.reuse.key = Kept::endpoint_key(endpoint, demand);
            return std::move(*connection);
        }
        bool again = refused(*refusal, peer, without_tls);
        peer.farewell();
        if (!again)
            return nullptr;
    }
    return nullptr;
}

// In the clear, but not at once: a handshake that fails by chance, or by an attacker's hand, shall not cost the first
// try its protection.
bool Delivery::refused(const Refusal& refusal, const Peer& peer, bool without_tls) {
    bool waited = job_.request().active_seconds - job_.request().arrival_seconds >= config_.plaintext_after.count();
    if (refusal.try_plaintext && (waited || job_.probe()) && !without_tls) {
        maillog::info("{}: {}", job_.id(), refusal.why.reason);
        return true;
    }
    if (violated(refusal.require_tls)) {
        out_.pass_over(refusal, &peer, {});
        return false;
    }
    if (refusal.why.status.temporary())
        out_.site_failed(refusal.why);
    out_.fail(refusal.why, peer, refusal.diagnostic);
    return false;
}

void Delivery::finish_with(std::unique_ptr<Peer> peer, const Attempt& attempt, bool best) {
    bool worn = config_.reuse_count > 0 && peer->reuse.uses >= config_.reuse_count;
    bool may_stay = !under_tls(peer->tls) || peer->reuse.under_tls;
    bool keep = attempt.store && may_stay && !peer->broken && !peer->leaving && !worn &&
                loop::Clock::now() < peer->reuse.expires;
    if (!keep)
        return peer->farewell();
    kept_.put(std::move(peer), best ? attempt.key : std::string());
}

bool Delivery::use_kept(const Attempt& attempt, const std::string& key) {
    auto peer = kept_.take(key, tried_);
    if (!peer)
        return false;
    peer->connected = base::wall_now();
    peer->message = {job_.id(), job_.request().arrival_seconds};
    peer->reuse.silent = true;
    std::string host = peer->endpoint.label_with_port();
    out_.set_last_host(false);  // what it cannot do now, another host may
    ++peer->reuse.uses;
    Transaction(config_, job_, out_, *peer).run();
    if (!peer->reuse.silent) {
        tried_.insert(host);
        out_.site_works();
    }
    finish_with(std::move(peer), attempt, true);
    return true;
}

// --- one destination

std::optional<Delivery::Attempt> Delivery::prepare(const Destination& destination, bool last) {
    const auto options = static_cast<std::uint32_t>(job_.request().send_options);
    const bool required = config_.require_tls_enabled && (options & mail::send_option::require_tls);
    const bool optional = config_.tls_required_enabled && (options & mail::send_option::tls_optional) &&
                          !(options & mail::send_option::require_tls);
    auto policy = tls_policy_for(config_, destination, optional);
    if (!policy) {
        out_.fail(policy.error(), {});
        return std::nullopt;
    }
    if (required) {
        auto found = config_.require_tls_policy.find(policy->site.nexthop);
        if (!found) {
            out_.fail(found.error(), tls_wish(policy->level) + "/requiretls?");
            return std::nullopt;
        }
        policy->require_tls = *found;
    }
    Attempt attempt{.policy = std::move(*policy), .last = last, .tls_optional = optional};
    // A connection that was good enough for others need not do for REQUIRETLS; nor one from before the policy failed.
    if (attempt.policy.require_tls != RequireTls::no)
        return attempt;
    auto listed = config_.cache_destinations.match(destination.host);
    bool always = listed && *listed;
    int flags = config_.cache_on_demand ? job_.request().flags : 0;
    attempt.load = !tls::unmeetable(attempt.policy) && (always || (flags & ipc::delivery_flags::connection_load));
    attempt.store = always || (flags & ipc::delivery_flags::connection_store);
    if (attempt.load || attempt.store)
        attempt.key = Kept::destination_key(destination, attempt.policy);
    return attempt;
}

bool Delivery::try_destination(const Candidate& candidate, const Destination& destination, bool last) {
    out_.set_last_host(last);
    auto attempt = prepare(destination, last);
    if (!attempt)
        return true;
    while (attempt->load && out_.any_left() && use_kept(*attempt, attempt->key)) {}
    if (!out_.any_left())
        return false;
    out_.set_last_host(last);
    HostList hosts = find_hosts(config_, destination);
    if (hosts.why)
        return give_up(candidate, destination, hosts);
    attempt->last = last || hosts.nearer_only;
    try_hosts(*attempt, hosts);
    return !hosts.nearer_only;
}

// Its hosts cannot be had. A host that main.cf names is an administrator's mistake, not the recipient's: the mail waits
// until it is corrected.
bool Delivery::give_up(const Candidate& candidate, const Destination& destination, const HostList& hosts) {
    Error why = *hosts.why;
    bool by_parameter = !candidate.parameter.empty();
    out_.set_last_host(out_.last_host() || hosts.loops || hosts.nearer_only);
    if (by_parameter && !why.status.temporary()) {
        maillog::warning("{} configuration problem: {}", candidate.parameter, why.reason);
        why.status = {4, 3, 5};
    } else if (hosts.loops && !config_.best_mx_transport.empty()) {
        pass_to_best_mx(destination.host);
        return false;
    }
    out_.unreachable(why, {});
    return !hosts.loops && !hosts.nearer_only;
}

void Delivery::try_hosts(const Attempt& attempt, HostList& hosts) {
    // A message that may do without TLS is perhaps a report itself: one must not lead to the next (RFC 8460, section
    // 3).
    std::string record =
        config_.tls_reports && !attempt.tls_optional ? config_.tls_reports->record_of(attempt.policy) : std::string();
    std::erase_if(hosts.endpoints, [this](const Endpoint& e) { return tried_.count(e.label_with_port()) > 0; });
    std::size_t sessions = 0, count = hosts.endpoints.size();
    if (config_.address_limit > 0)
        count = std::min(count, config_.address_limit);
    const std::size_t most = config_.session_limit > 0 ? config_.session_limit : count + 1;
    for (std::size_t i = 0; i < count && sessions < most && out_.any_left(); ++i) {
        const Endpoint& endpoint = hosts.endpoints[i];
        out_.set_last_host(attempt.last && i + 1 == count);
        TlsReport report;
        if (!record.empty())
            report = TlsReport(*config_.tls_reports, bytes::lowered(attempt.policy.site.nexthop), record, endpoint);
        auto demand = demand_for(attempt.policy, endpoint, report);
        if (!demand)
            continue;
        std::string key = attempt.load ? Kept::endpoint_key(endpoint, *demand) : std::string();
        while (attempt.load && out_.any_left() && use_kept(attempt, key)) {}
        if (!out_.any_left() || tried_.count(endpoint.label_with_port()))
            continue;
        auto peer = reach(endpoint, attempt.policy, *demand, report);
        if (!peer)
            continue;  // what did not come to a session does not count as one
        ++sessions;
        out_.set_last_host(out_.last_host() || (attempt.last && sessions == most));
        out_.site_works();
        ++peer->reuse.uses;
        Transaction(config_, job_, out_, *peer).run();
        bool best = endpoint.preference == hosts.best_preference;
        finish_with(std::move(peer), attempt, best);
    }
}

// best_mx_transport: mail for which this host is the best exchanger goes to that delivery agent, which writes the log
// line.
void Delivery::pass_to_best_mx(const std::string& host) {
    auto [transport, nexthop] = bytes::cut(config_.best_mx_transport, ':');
    ipc::Client agent("private/" + std::string(bytes::trim(transport)), config_.settings);
    for (delivery::JobRecipient* r : out_.left()) {
        ipc::DeliveryRequest request = job_.request();
        request.nexthop = nexthop && !nexthop->empty() ? std::string(*nexthop) : host;
        request.recipients.clear();
        request.recipients.push_back(
            {.offset = 0, .address = r->address, .original = r->original, .orcpt = r->orcpt, .notify = r->notify});
        auto reply = agent.ask<ipc::DeliveryReply>(request);
        if (reply)
            job_.settle(*r, reply->deferred ? delivery::Disposition::deferred : delivery::Disposition::done);
        else
            job_.failed(*r, {.status = {4, 3, 0}, .text = "mail transport unavailable"});
    }
}

std::vector<Delivery::Candidate> Delivery::candidates() const {
    std::vector<Candidate> list;
    auto add = [&](std::string_view word, std::string_view parameter) {
        if (list.size() < destinations_limit)
            list.push_back({std::string(word), parameter});
    };
    const auto relayhosts = bytes::split(config_.relayhost, list_separators);
    for (std::string_view word : bytes::split(job_.request().nexthop, list_separators)) {
        bool relayhost = std::any_of(relayhosts.begin(), relayhosts.end(),
                                     [word](std::string_view r) { return bytes::iequals(r, word); });
        add(word, relayhost ? param::relayhost.name : std::string_view());
    }
    for (std::string_view word : bytes::split(config_.fallback_relay, list_separators))
        add(word, config_.fallback_relay_name);
    return list;
}

void Delivery::run() {
    if (out_.flags().delivered_to)
        out_.return_looping();
    const auto wanted = candidates();
    for (std::size_t i = 0; i < wanted.size() && out_.any_left(); ++i) {
        auto destination = parse_destination(config_, wanted[i].text);
        bool last = i + 1 == wanted.size();
        out_.set_last_host(last);
        if (!destination)
            out_.fail(destination.error(), {});
        else if (!try_destination(wanted[i], *destination, last))
            break;
    }
    out_.conclude();
}
}
