#include "dispositions.h"
#include <fmt/format.h>
#include "config.h"
#include "delivery/delivered_to.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/dsn.h"

namespace smtp {
Dispositions::Recipients Dispositions::left() const {
    Recipients list;
    for (delivery::JobRecipient& r : job_.recipients())
        if (r.disposition == delivery::Disposition::none)
            list.push_back(&r);
    return list;
}

Dispositions::Held Dispositions::held(const Error& why, const Peer& peer, std::string_view diagnostic) {
    return {.why = why,
            .diagnostic = std::string(diagnostic),
            .relay = peer.endpoint.label_with_port(),
            .mta = peer.endpoint.name,
            .tls = peer.tls_feature,
            .uses = peer.reuse.uses,
            .connected = peer.connected};
}

Dispositions::Held Dispositions::held(const Error& why, std::string_view tls) {
    Held h;
    h.why = why;
    h.tls = tls;
    return h;
}

delivery::Event Dispositions::event(const Held& h) const {
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

void Dispositions::take(const Held& held, const Recipients& recipients) {
    bool hold = held.why.status.temporary() && !last_host_;
    if (hold)
        maillog::info("{}: {}", job_.id(), held.why.reason);
    for (delivery::JobRecipient* r : recipients) {
        if (hold)
            held_[r] = held;
        else
            settle(*r, held);
    }
}

void Dispositions::fail(const Error& why, const Peer& peer, std::string_view diagnostic, delivery::JobRecipient* only) {
    take(held(why, peer, diagnostic), only ? Recipients{only} : left());
}

void Dispositions::fail(const Error& why, std::string_view tls) { take(held(why, tls), left()); }

void Dispositions::unreachable(const Error& why, std::string_view tls) {
    site_failure_ = why;
    const Held h = held(why, tls);
    for (delivery::JobRecipient* r : left()) {
        if (last_host_)
            settle(*r, h);
        else
            held_[r] = h;
    }
}

void Dispositions::pass_over(Refusal refusal, const Peer* peer, std::string_view tls) {
    if (!last_host_ || (site_failure_ && site_failure_->status.temporary()))
        refusal.why.status.klass = 4;
    if (peer)
        fail(refusal.why, *peer, refusal.diagnostic);
    else
        fail(refusal.why, tls);
}

void Dispositions::delivered(delivery::JobRecipient& recipient, const Peer& peer, const Reply& reply) {
    const Held h = held({reply.status, reply.text, 0}, peer, reply.text);
    delivery::Event e = event(h);
    bool final_here = flags_.final_delivery || config_.assume_final;
    if (peer.features.dsn && !flags_.final_delivery)
        recipient.notify &= ~static_cast<int>(mail::notify::success);  // the next one reports
    e.action = final_here ? "delivered" : "relayed";
    job_.delivered(recipient, e);
}

void Dispositions::return_looping() {
    auto seen = delivery::delivered_addresses(job_);
    for (delivery::JobRecipient* r : left())
        if (seen.count(mail::fold_case(r->address)))
            settle(*r, held({{5, 4, 6}, fmt::format("mail forwarding loop for {}", r->address), 0}, ""));
}

void Dispositions::conclude() {
    if (site_failure_ && site_failure_->status.temporary())
        job_.site_failed(site_failure_->status, site_failure_->reason);
    for (delivery::JobRecipient* r : left()) {
        auto it = held_.find(r);
        settle(*r, it != held_.end() ? it->second : held({{4, 3, 5}, "no host was tried", 0}, ""));
    }
}
}
