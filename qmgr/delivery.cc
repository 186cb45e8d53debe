// Manager: entries become requests to delivery agents, one connection for each that is under way, and agents' answers
// become feedback. What an agent has done is in the queue file when it answers; what it did not answer for is tried
// again.
#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <iterator>
#include <unordered_set>
#include "base/bytes.h"
#include "conf/params/qmgr.h"
#include "log/log.h"
#include "manager.h"
#include "mail/dsn.h"
#include "mail/verp.h"

namespace qmgr {
// Postfix's numbers in the attribute trace_flags.
static constexpr int trace_probe_service = 1 << 8, trace_probe_user = 1 << 9, trace_record = 1 << 10;

void Manager::dispatch(Service& s) {
    Time now = loop::Clock::now();
    for (;;) {
        auto entry = s.transport.select(now);
        if (!entry)
            return;
        start(s, std::move(entry));
    }
}

void Manager::start(Service& s, std::unique_ptr<Entry> owned) {
    std::shared_ptr<Entry> entry = std::move(owned);
    if (auto delay = s.transport.limits.transport_rate_delay; delay.count() > 0) {
        s.transport.not_before = loop::Clock::now() + delay;
        loop::loop()->spawn([this, &s, until = s.transport.not_before] {
            loop::sleep_until(until);
            dispatch(s);
        });
    }
    loop::loop()->spawn([this, &s, entry] { deliver(s, *entry); });
}

ipc::DeliveryRequest Manager::request_for(const Entry& entry) const {
    const Message& m = *entry.message;
    const queue::Envelope& e = m.envelope;
    auto text = [&](std::string_view name) { return std::string(e.attribute(name)); };
    ipc::DeliveryRequest r;
    if (e.trace_flags & (trace_probe_service | trace_probe_user))
        r.flags |= ipc::delivery_flags::probe;
    if (e.trace_flags & (trace_probe_user | trace_record))
        r.flags |= ipc::delivery_flags::trace;
    const Destination& d = *entry.destination;
    if (d.todo > 0 || d.busy > 1)
        r.flags |= ipc::delivery_flags::connection_store;  // there is much for it just now
    if (d.kept_connection || d.busy > 1)
        r.flags |= ipc::delivery_flags::connection_load;
    r.queue_name = queue::active;
    r.queue_id = m.id.text();
    r.data_offset = e.size.data_offset;
    r.data_size = e.size.content_length;
    r.nexthop = d.nexthop;
    r.encoding = e.encoding;
    r.send_options = static_cast<int>(e.size.send_options);
    r.sender = e.sender;
    r.envid = e.dsn_envelope_id;
    r.ret = e.dsn_return;
    base::WallTime now = base::wall_now();
    r.arrival_seconds = e.arrival.seconds;
    r.arrival_microseconds = e.arrival.microseconds;
    r.active_seconds = m.active.seconds;
    r.active_microseconds = m.active.microseconds;
    r.handoff_seconds = now.seconds;
    r.handoff_microseconds = now.microseconds;
    r.log_client_name = text(queue::attribute::log_client_name);
    r.log_client_address = text(queue::attribute::log_client_address);
    r.log_client_port = text(queue::attribute::log_client_port);
    r.log_protocol_name = text(queue::attribute::log_protocol_name);
    r.log_helo_name = text(queue::attribute::log_helo_name);
    r.log_ident = text(queue::attribute::log_ident);
    r.sasl_method = text(queue::attribute::sasl_method);
    r.sasl_username = text(queue::attribute::sasl_username);
    r.sasl_sender = text(queue::attribute::sasl_sender);
    r.rewrite_context = text(queue::attribute::rewrite_context);
    const bool delay_cleared = e.warn_at != 0 && e.warn_time == 0 && settings_[param::confirm_delay_cleared];
    for (const auto& to : entry.recipients) {
        int notify = to.dsn_notify;
        if (delay_cleared && (notify & static_cast<int>(mail::notify::never)) == 0)
            notify |= static_cast<int>(mail::notify::success);
        r.recipients.push_back({to.offset, to.address, to.original, to.dsn_original, notify});
    }
    if (m.verp() && entry.recipients.size() == 1) {
        const auto& to = entry.recipients.front();
        r.sender = mail::verp_sender(e.sender, to.original.empty() ? to.address : to.original, e.verp);
    }
    return r;
}

Result<ipc::DeliveryReply> Manager::talk_once(Service& s, const ipc::DeliveryRequest& request, bool only_fresh,
                                              bool& was_fresh) {
    was_fresh = true;
    auto lease = s.client.borrow(only_fresh);
    if (!lease) {
        maillog::warning("connect to transport private/{}: {}", s.transport.name,
                         lease.error().sys_errno ? errno_text(lease.error().sys_errno) : lease.error().reason);
        return temporary("mail transport unavailable");
    }
    was_fresh = lease->fresh();
    loop::Deadline soon = loop::in(config_.ipc_timeout);
    auto failed = [&](const Error& why) -> Result<ipc::DeliveryReply> {
        if (was_fresh)
            maillog::warning("private/{} socket: {}", s.transport.name, why.reason);
        return temporary("unknown mail transport error");
    };
    if (auto sent = ipc::send(lease->stream(), request, soon); !sent)
        return failed(sent.error());
    if (auto sent = lease->stream().flush(soon); !sent)
        return failed(sent.error());
    auto reply = ipc::receive<ipc::DeliveryReply>(lease->stream(), loop::in(config_.daemon_timeout));
    if (!reply)
        return failed(reply.error());
    if (!reply->last)
        lease->keep();
    return reply;
}

// Recipients that the file says are done. An agent that went away may have got that far.
void Manager::drop_done(ipc::DeliveryRequest& request) const {
    auto id = mail::QueueId::parse(request.queue_id);
    auto file = queue::QueueFile::open(directories_, queue::active, *id, queue::Access::read);
    if (!file)
        return;
    std::erase_if(request.recipients, [&](const ipc::DeliveryRecipient& r) {
        char type = 0;
        return ::pread(file->fd(), &type, 1, r.offset) == 1 && type == static_cast<char>(queue::RecordType::done);
    });
}

// A kept connection that the agent closed while it was idle is replaced; otherwise an agent that ends without an answer
// has failed.
Result<ipc::DeliveryReply> Manager::converse(Service& s, const ipc::DeliveryRequest& request) {
    bool fresh = true;
    auto reply = talk_once(s, request, false, fresh);
    if (reply || fresh)
        return reply;
    ipc::DeliveryRequest again = request;
    drop_done(again);
    if (again.recipients.empty())
        return ipc::DeliveryReply{};
    return talk_once(s, again, true, fresh);
}

void Manager::deliver(Service& s, Entry& entry) {
    Message& message = *entry.message;
    Destination& d = *entry.destination;
    const std::size_t count = entry.recipients.size();
    ipc::DeliveryRequest request = request_for(entry);
    message.traced =
        message.traced || (request.flags & (ipc::delivery_flags::probe | ipc::delivery_flags::trace)) != 0 ||
        std::any_of(request.recipients.begin(), request.recipients.end(), [](const auto& r) { return r.notify != 0; });
    d.kept_connection = (request.flags & ipc::delivery_flags::connection_store) != 0;
    auto reply = converse(s, request);
    s.transport.finished(entry);
    if (reply) {
        message.deferred = message.deferred || reply->deferred;
        site_feedback(s, d, *reply);
        pace(s, d);
        settled(message, count);  // d may be gone from here on
    } else {
        kill_transport(s, "4.3.0", reply.error().reason);
        drop_done(request);
        std::unordered_set<std::int64_t> not_done;
        for (const auto& to : request.recipients)
            not_done.insert(to.offset);
        std::erase_if(entry.recipients, [&](const queue::Recipient& r) { return !not_done.contains(r.offset); });
        std::size_t left = entry.recipients.size();
        if (left > 0) {
            std::vector<std::unique_ptr<Entry>> all;
            all.push_back(std::make_unique<Entry>(std::move(entry)));
            reroute(std::move(all), "4.3.0", reply.error().reason);
        }
        if (left < count)
            settled(message, count - left);
    }
    dispatch(s);
}

void Manager::site_feedback(Service& s, Destination& d, const ipc::DeliveryReply& reply) {
    const int before = d.concurrency.window();
    if (reply.site_status.empty()) {
        d.concurrency.succeeded(static_cast<int>(d.busy));
    } else if (d.concurrency.failed()) {
        kill_destination(s, d, reply.site_status, "delivery temporarily suspended: " + reply.site_reason);
    }
    if (config_.feedback_debug)
        maillog::info("feedback: transport={}, destination={}, window {} -> {}, busy {}", s.transport.name, d.nexthop,
                      before, d.concurrency.window(), d.busy);
}

// The place that has become free is for who waits; with a rate delay, later.
void Manager::pace(Service& s, Destination& d) {
    auto delay = s.transport.limits.destination_rate_delay;
    if (delay.count() == 0 || d.dead) {
        s.transport.wake(d, loop::Clock::now());
        return;
    }
    d.not_before = loop::Clock::now() + delay;
    if (d.timer)
        return;
    d.timer = true;
    loop::loop()->spawn([this, &s, &d] {
        while (loop::Clock::now() < d.not_before)
            loop::sleep_until(d.not_before);
        d.timer = false;
        s.transport.wake(d, loop::Clock::now());
        s.transport.forget_if_idle(d);
        dispatch(s);
    });
}

void Manager::kill_destination(Service& s, Destination& d, const std::string& status, const std::string& reason) {
    d.dead = true;
    d.dead_status = status;
    if (!d.dead_status.empty())
        d.dead_status.front() = '4';
    d.dead_reason = reason;
    d.dead_until = loop::Clock::now() + config_.minimal_backoff;
    reroute(s.transport.take_all(d), d.dead_status, reason);
}

void Manager::kill_transport(Service& s, std::string_view status, std::string_view reason) {
    Transport& t = s.transport;
    if (t.dead)
        return;
    t.dead = true;
    t.dead_status = status;
    t.dead_reason = reason;
    t.dead_until = loop::Clock::now() + config_.transport_retry;
    std::vector<std::unique_ptr<Entry>> all;
    for (auto& [key, destination] : t.destinations)
        for (auto& entry : t.take_all(*destination))
            all.push_back(std::move(entry));
    reroute(std::move(all), t.dead_status, t.dead_reason);
}

// To the retry service, which defers them with this reason; where that is what does not answer, by ourselves.
void Manager::reroute(std::vector<std::unique_ptr<Entry>> entries, const std::string& status,
                      const std::string& reason) {
    if (entries.empty())
        return;
    Route route = resolver_.retry(status, reason, "");
    Service& s = service(route.transport);
    for (auto& entry : entries) {
        if (s.transport.dead || entry->job->transport == &s.transport) {
            dispose_here(*entry->message, std::move(entry->recipients), status, reason);
            continue;
        }
        Destination& to = s.transport.destination(destination_key(s.transport.limits, route), route.nexthop);
        s.transport.add(*entry->message, to, std::move(entry->recipients), entry->message->verp());
    }
    dispatch(s);
}

// Deferred, or with class 2 discarded, without an agent. In a fiber of its own: the caller may be in the middle of the
// lists. One for all that come before it has its turn: there may be thousands of destinations.
void Manager::dispose_here(Message& message, std::vector<queue::Recipient> recipients, std::string_view status,
                           const std::string& text) {
    Disposal key{&message, std::string(status), text};
    auto& gathered = disposals_[key];
    if (gathered) {
        std::move(recipients.begin(), recipients.end(), std::back_inserter(gathered->recipients));
        return;
    }
    gathered = std::make_unique<Entry>(Entry{&message, nullptr, nullptr, std::move(recipients)});
    loop::loop()->spawn([this, key = std::move(key)] {
        auto entry = std::move(disposals_.extract(key).mapped());
        EnhancedStatus code;
        EnhancedStatus::parse(key.status, code);
        Message& m = *entry->message;
        m.traced = true;
        static const ConcurrencyLimits any;
        Destination nowhere{.transport = nullptr, .key = "", .nexthop = "", .concurrency = Concurrency(any)};
        entry->destination = &nowhere;
        const std::size_t count = entry->recipients.size();
        auto reply = self_.handle(request_for(*entry), [&](delivery::Job& job) {
            for (auto& to : job.recipients()) {
                if (code.success())
                    job.delivered(to, {.status = code, .text = key.text});
                else
                    job.deferred(to, {.status = code, .text = key.text});
            }
        });
        m.deferred = m.deferred || reply.deferred;
        settled(m, count);
    });
}
}
