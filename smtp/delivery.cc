#include "delivery.h"
#include <fmt/format.h>
#include <algorithm>
#include "base/bytes.h"
#include "conf/params/rewrite.h"
#include "log/log.h"
#include "delivery/delivered_to.h"
#include "ipc/client.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "transaction.h"

namespace smtp {
namespace {
constexpr std::size_t destinations_limit = 100;
constexpr const char* list_separators = " \t\r\n,";
}

Delivery::Recipients Delivery::left() {
    Recipients list;
    for (delivery::Recipient& r : job_.recipients())
        if (r.disposition == delivery::Disposition::none)
            list.push_back(&r);
    return list;
}

Delivery::Held Delivery::held(const Error& why, const Peer* peer, std::string_view diagnostic) const {
    Held h;
    h.why = why;
    h.diagnostic = diagnostic;
    h.tls = peer ? peer->tls_status : wish_;
    if (!peer)
        return h;
    h.relay = peer->endpoint.label_with_port();
    h.mta = peer->endpoint.name;
    h.uses = peer->uses;
    h.connected = connected_;
    return h;
}

delivery::Event Delivery::event(const Held& h) const {
    delivery::Event e;
    if (!h.relay.empty())
        e.relay = h.relay;
    e.connection_use = h.uses;
    e.connected = h.connected;
    if (config_.log_tls)
        e.tls = h.tls;
    e.status = h.why.status;
    e.text = h.why.reason;
    if (!h.diagnostic.empty()) {
        e.diagnostic_type = "smtp";
        e.diagnostic_text = h.diagnostic;
    }
    if (!h.mta.empty()) {
        e.mta_type = "dns";
        e.mta_name = h.mta;
    }
    return e;
}

void Delivery::settle(delivery::Recipient& recipient, const Held& h) { job_.failed(recipient, event(h)); }

void Delivery::fail(const Error& why, const Peer* peer, std::string_view diagnostic, delivery::Recipient* only) {
    Held h = held(why, peer, diagnostic);
    bool hold = why.status.temporary() && !last_host_;
    if (hold)
        maillog::info("{}: {}", job_.id(), why.reason);
    for (delivery::Recipient* r : only ? Recipients{only} : left()) {
        if (hold)
            held_[r] = h;
        else
            settle(*r, h);
    }
}

void Delivery::unreachable(const Error& why) {
    site_failure_ = why;
    Held h = held(why, nullptr, {});
    for (delivery::Recipient* r : left()) {
        if (last_host_)
            settle(*r, h);
        else
            held_[r] = h;
    }
}

void Delivery::delivered(delivery::Recipient& recipient, const Peer& peer, const Reply& reply) {
    Held h = held({reply.status, reply.text, 0}, &peer, reply.text);
    delivery::Event e = event(h);
    bool final_here = flags_.final_delivery || config_.assume_final;
    if (peer.features.dsn && !flags_.final_delivery)
        recipient.notify &= ~static_cast<int>(mail::notify::success);  // the next one reports
    e.action = final_here ? "delivered" : "relayed";
    job_.delivered(recipient, e);
}

// --- hosts

std::unique_ptr<Peer> Delivery::reach(const Endpoint& endpoint, const TlsPlan& plan, TlsReport& report) {
    for (bool without_tls : {false, true}) {
        auto peer = Peer::connect(config_, endpoint);
        if (!peer) {
            if (endpoint.path.empty())
                maillog::info("{}", peer.error().reason);
            unreachable(peer.error());
            return nullptr;
        }
        connected_ = base::wall_now();
        (*peer)->queue_id = job_.id();
        auto refusal = shake_hands(**peer, plan, without_tls, report);
        report.conclude(peer->get());
        if (plan.require_tls != RequireTls::no)
            judge_demand(**peer, plan, refusal);
        connected_ = base::wall_now();
        if (!refusal) {
            (*peer)->expires = loop::in(config_.reuse_time);
            (*peer)->key = Kept::endpoint_key(endpoint, plan);
            return std::move(*peer);
        }
        // Not at once: a handshake that fails by chance, or by an attacker's hand, shall not cost the first try its
        // protection.
        bool waited = job_.request().active_seconds - job_.request().arrival_seconds >= config_.plaintext_after.count();
        bool again = refusal->try_plaintext && (waited || job_.probe()) && !without_tls;
        if (again) {
            maillog::info("{}: {}", job_.id(), refusal->why.reason);
        } else if (refusal->demand_not_met) {
            pass_over(std::move(*refusal), peer->get());
        } else {
            if (refusal->why.status.temporary())
                site_failure_ = refusal->why;
            fail(refusal->why, peer->get(), refusal->diagnostic);
        }
        (*peer)->farewell();
        if (!again)
            return nullptr;
    }
    return nullptr;
}

void Delivery::pass_over(Refusal refusal, const Peer* peer) {
    if (!last_host_ || (site_failure_ && site_failure_->status.temporary()))
        refusal.why.status.klass = 4;
    fail(refusal.why, peer, refusal.diagnostic);
}

Result<RequireTls> Delivery::demand_for(const TlsPolicy& policy) const {
    bool asked = config_.require_tls_enabled &&
                 (static_cast<std::uint32_t>(job_.request().send_options) & mail::send_option::require_tls);
    return asked ? config_.require_tls_policy.find(policy.site.nexthop) : RequireTls::no;
}

void Delivery::use(std::unique_ptr<Peer> peer) {
    ++peer->uses;
    site_failure_.reset();
    Transaction(*this, *peer).run();
    finish_with(std::move(peer));
}

void Delivery::finish_with(std::unique_ptr<Peer> peer) {
    bool worn = config_.reuse_count > 0 && peer->uses >= config_.reuse_count;
    bool may_stay = !peer->under_tls || peer->keep_tls;
    bool keep = store_ && may_stay && !peer->broken && !peer->leaving && !worn && loop::Clock::now() < peer->expires;
    if (!keep)
        return peer->farewell();
    bool best = peer->endpoint.preference == best_preference_;
    kept_.put(std::move(peer), best ? destination_key_ : std::string());
}

bool Delivery::use_kept(const std::string& key) {
    auto peer = kept_.take(key, tried_);
    if (!peer)
        return false;
    connected_ = base::wall_now();
    peer->queue_id = job_.id();
    peer->silent = true;
    best_preference_ = peer->endpoint.preference;
    std::string host = peer->endpoint.label_with_port();
    last_host_ = false;  // what it cannot do now, another host may
    ++peer->uses;
    Transaction(*this, *peer).run();
    if (!peer->silent) {
        tried_.insert(host);
        site_failure_.reset();
    }
    finish_with(std::move(peer));
    return true;
}

// Its hosts cannot be had. A host that main.cf names is an administrator's mistake, not the recipient's: the mail waits
// until it is corrected.
bool Delivery::give_up(const Candidate& candidate, const Destination& destination, const HostList& hosts) {
    Error why = *hosts.why;
    bool by_parameter = !candidate.parameter.empty();
    wish_.clear();
    last_host_ = last_host_ || hosts.loops || hosts.nearer_only;
    if (by_parameter && !why.status.temporary()) {
        maillog::warning("{} configuration problem: {}", candidate.parameter, why.reason);
        why.status = {4, 3, 5};
    } else if (hosts.loops && !config_.best_mx_transport.empty()) {
        pass_to_best_mx(destination.host);
        return false;
    }
    unreachable(why);
    return !hosts.loops && !hosts.nearer_only;
}

bool Delivery::try_destination(const Candidate& candidate, const Destination& destination, bool last) {
    const auto options = static_cast<std::uint32_t>(job_.request().send_options);
    bool optional = config_.tls_required_enabled && (options & mail::send_option::tls_optional) &&
                    !(options & mail::send_option::require_tls);
    auto policy = tls_policy_for(config_, destination, optional);
    last_host_ = last;
    wish_.clear();
    auto demand = policy ? demand_for(*policy) : tl::unexpected(policy.error());
    if (policy && !demand)
        wish_ = policy->wish + "/requiretls?";
    if (!demand) {
        fail(demand.error(), nullptr, {});
        return true;
    }
    auto listed = config_.cache_destinations.match(destination.host);
    bool always = listed && *listed;
    int flags = config_.cache_on_demand ? job_.request().flags : 0;
    bool may_share = *demand == RequireTls::no;  // a connection that was good enough for others need not do here
    bool unmeetable = policy->policy.sts && policy->policy.sts->failure &&
                      tls::verified(policy->policy.level);  // as is one from before the policy failed
    bool load = may_share && !unmeetable && (always || (flags & ipc::delivery_flags::connection_load));
    store_ = may_share && (always || (flags & ipc::delivery_flags::connection_store));
    destination_key_ = load || store_ ? Kept::destination_key(destination, *policy) : std::string();
    wish_ = policy->wish;
    while (load && any_left() && use_kept(destination_key_)) {}
    if (!any_left())
        return false;
    last_host_ = last;
    HostList hosts = find_hosts(config_, destination);
    if (hosts.why)
        return give_up(candidate, destination, hosts);
    last = last || hosts.nearer_only;
    // A message that may do without TLS is perhaps a report itself: one must not lead to the next (RFC 8460, section
    // 3).
    std::string record = config_.tls_reports && !optional ? config_.tls_reports->record_of(*policy) : std::string();
    std::erase_if(hosts.endpoints, [this](const Endpoint& e) { return tried_.count(e.label_with_port()) > 0; });
    std::size_t sessions = 0, count = hosts.endpoints.size();
    if (config_.address_limit > 0)
        count = std::min(count, config_.address_limit);
    for (std::size_t i = 0; i < count && any_left(); ++i) {
        const Endpoint& endpoint = hosts.endpoints[i];
        last_host_ = last && i + 1 == count;
        TlsReport report =
            record.empty() ? TlsReport()
                           : TlsReport(*config_.tls_reports, bytes::lowered(policy->site.nexthop), record, endpoint);
        auto plan = tls_plan_for(config_, *policy, endpoint, report);
        if (!plan) {
            report.conclude(nullptr);
            wish_ = policy->wish;
            fail(plan.error(), nullptr, {});
            continue;
        }
        plan->require_tls = *demand;
        auto objects = may_share ? std::nullopt : objection(*plan, policy->site.nexthop);
        wish_ = plan->wish;
        if (objects) {
            pass_over(std::move(*objects), nullptr);
            continue;
        }
        std::string key = load ? Kept::endpoint_key(endpoint, *plan) : std::string();
        while (load && any_left() && use_kept(key)) {}
        if (!any_left())
            return false;
        if (tried_.count(endpoint.label_with_port()))
            continue;
        auto peer = reach(endpoint, *plan, report);
        if (!peer)
            continue;  // what did not come to a session does not count as one
        best_preference_ = hosts.best_preference;
        ++sessions;
        last_host_ = last_host_ || (last && config_.session_limit > 0 && sessions >= config_.session_limit);
        use(std::move(peer));
        if (config_.session_limit > 0 && sessions >= config_.session_limit)
            break;
    }
    return !hosts.nearer_only;
}

// best_mx_transport: mail for which this host is the best exchanger goes to that delivery agent, which writes the log
// line.
void Delivery::pass_to_best_mx(const std::string& host) {
    auto [transport, nexthop] = bytes::cut(config_.best_mx_transport, ':');
    ipc::Client agent("private/" + std::string(bytes::trim(transport)), config_.settings);
    for (delivery::Recipient* r : left()) {
        ipc::DeliveryRequest request = job_.request();
        request.nexthop = nexthop && !nexthop->empty() ? std::string(*nexthop) : host;
        request.recipients.clear();
        request.recipients.push_back(
            {.offset = 0, .address = r->address, .original = r->original, .orcpt = r->orcpt, .notify = r->notify});
        auto reply = agent.ask<ipc::DeliveryReply>(request);
        if (reply)
            job_.settle(*r, reply->deferred ? delivery::Disposition::deferred : delivery::Disposition::done);
        else
            settle(*r, held({{4, 3, 0}, "mail transport unavailable", 0}, nullptr, {}));
    }
}

void Delivery::return_looping() {
    auto seen = delivery::delivered_addresses(job_);
    for (delivery::Recipient* r : left())
        if (seen.count(mail::fold_case(r->address)))
            settle(*r, held({{5, 4, 6}, fmt::format("mail forwarding loop for {}", r->address), 0}, nullptr, {}));
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
    if (flags_.delivered_to)
        return_looping();
    const auto wanted = candidates();
    for (std::size_t i = 0; i < wanted.size() && any_left(); ++i) {
        auto destination = parse_destination(config_, wanted[i].text);
        last_host_ = i + 1 == wanted.size();
        if (!destination)
            fail(destination.error(), nullptr, {});
        else if (!try_destination(wanted[i], *destination, last_host_))
            break;
    }
    if (site_failure_ && site_failure_->status.temporary())
        job_.site_failed(site_failure_->status, site_failure_->reason);
    for (delivery::Recipient* r : left()) {
        auto it = held_.find(r);
        settle(*r, it != held_.end() ? it->second : held({{4, 3, 5}, "no host was tried", 0}, nullptr, {}));
    }
}
}
