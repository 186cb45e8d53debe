// See delivery/job.h.
#include "delivery/job.h"

#include <fmt/format.h>
#include "conf/params/cleanup.h"
#include "delivery/services.h"
#include "ipc/flush.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/dsn.h"

namespace delivery {
namespace {
ipc::ReportAppend append_request(const std::string& id, const Subject& subject, const Event& event,
                                 std::string_view action) {
    ipc::ReportAppend r;
    r.queue_id = id;
    r.offset = subject.offset;
    r.address = subject.address;
    r.original = subject.original;
    r.orcpt = subject.orcpt;
    r.notify = subject.notify;
    r.status = event.status.text();
    r.action = action;
    r.reason = event.text;
    r.diagnostic_type = event.diagnostic_type;
    r.diagnostic_text = event.diagnostic_text;
    r.mta_type = event.mta_type;
    r.mta_name = event.mta_name;
    return r;
}

template <class Request> bool tell(ipc::Client& service, const std::string& id, const Request& request) {
    auto reply = service.ask<ipc::BounceReply>(request);
    if (reply && reply->ok)
        return true;
    maillog::warning("{}: {} did not note the fate of a recipient: {}", id, service.path(),
                     reply ? reply->reason : reply.error().reason);
    return false;
}

Event with_class(const Event& event, std::uint8_t klass) {
    Event out = event;
    out.status.klass = klass;
    return out;
}
}

Job::Job(const Agent& agent, ipc::DeliveryRequest request, queue::QueueFile file, base::WallTime received)
    : agent_(agent), request_(std::move(request)), file_(std::move(file)), received_(received) {
    recipients_.reserve(request_.recipients.size());
    for (ipc::DeliveryRecipient& r : request_.recipients) {
        JobRecipient& to = recipients_.emplace_back();
        to.offset = r.offset;
        to.address = std::move(r.address);
        to.original = std::move(r.original);
        to.orcpt = std::move(r.orcpt);
        to.notify = r.notify;
    }
    request_.recipients.clear();
}

queue::ContentReader Job::content() const {
    queue::SizeRecord size;
    size.data_offset = request_.data_offset;
    size.message_size = size.content_length = request_.data_size;
    return queue::ContentReader(file_, size);
}

void Job::log(const Subject& subject, const Event& event, std::string_view outcome) const {
    const Agent::Services& services = agent_.services();
    auto shown = [&](const std::string& address) {
        return services.external_addresses ? mail::to_external(address) : address;
    };
    auto instant = [](std::int64_t s, std::int64_t us) { return base::WallTime{s, static_cast<std::int32_t>(us)}; };
    base::WallTime arrival = instant(request_.arrival_seconds, request_.arrival_microseconds);
    base::WallTime active = instant(request_.active_seconds, request_.active_microseconds);
    base::WallTime now = base::wall_now();
    if (active.seconds == 0)
        active = arrival;
    bool connected = event.connected.seconds != 0;
    auto delay = [&](base::WallTime a, base::WallTime b) {
        return base::delay_text(base::seconds_between(a, b), services.delay_digits);
    };
    std::string line = fmt::format("{}: to=<{}>, ", id(), shown(subject.address));
    if (!subject.original.empty() && subject.original != subject.address)
        line += fmt::format("orig_to=<{}>, ", shown(subject.original));
    line += fmt::format("relay={}, ", event.relay);
    if (event.connection_use > 1)
        line += fmt::format("conn_use={}, ", event.connection_use);
    line += fmt::format("delay={}, delays={}/{}/{}/{}, ", delay(arrival, now), delay(arrival, active),
                        delay(active, received_), connected ? delay(received_, event.connected) : "0",
                        delay(connected ? event.connected : received_, now));
    if (!event.tls.empty())
        line += fmt::format("tls={}, ", event.tls);
    line += fmt::format("dsn={}, status={} ({})", event.status.text(), outcome, event.text);
    maillog::write(maillog::Level::info, line);
}

bool Job::trace(const Subject& subject, const Event& event, std::string_view action) const {
    return tell(agent_.services().trace, id(), append_request(id(), subject, event, action));
}

bool Job::bounce(const Subject& subject, const Event& event) const {
    ipc::ReportAppend failure = append_request(id(), subject, event, "failed");
    if (!subject.own_sender || subject.sender == request_.sender)
        return tell(agent_.services().bounce, id(), failure);
    ipc::ReportOne one;
    one.message = {.kind = "bounce",
                   .queue_name = request_.queue_name,
                   .queue_id = id(),
                   .encoding = request_.encoding,
                   .send_options = request_.send_options,
                   .sender = subject.sender,
                   .envid = request_.envid,
                   .ret = request_.ret,
                   .verp = {}};
    one.recipient = std::move(failure);
    return tell(agent_.services().bounce, id(), one);
}

Disposition Job::report_probe(const Subject& subject, const Event& event) {
    bool good = event.status.success();
    std::string_view outcome = good ? "deliverable" : "undeliverable";
    bool told = trace(subject, event, outcome);
    log(subject, event, outcome);
    return told ? Disposition::done : Disposition::deferred;
}

// ETRN and "postqueue -s" find it by its domain. Without a note it is tried when its time comes.
void Job::note_for_flush(const std::string& address) const {
    Agent::Services& services = agent_.services();
    const auto at = address.rfind('@');
    if (at == address.npos || services.flush_domains.empty())
        return;
    const std::string domain = address.substr(at + 1);
    auto listed = services.flush_domains.match(domain);
    if (!listed || !*listed)
        return;
    auto reply =
        services.flush.ask<ipc::FlushReply>(ipc::FlushRequest{.request = "add", .site = domain, .queue_id = id()});
    if (!reply)
        maillog::warning("{}: {}: {}", id(), services.flush.path(), reply.error().reason);
}

Disposition Job::defer(const Subject& subject, const Event& event, std::string_view outcome) {
    if (request_.flags & ipc::delivery_flags::trace)
        trace(subject, event, "delayed");
    tell(agent_.services().defer, id(), append_request(id(), subject, event, "delayed"));
    note_for_flush(subject.address);
    log(subject, event, outcome);
    return Disposition::deferred;
}

Disposition Job::report_delivered(const Subject& subject, const Event& given) {
    Event event = filtered(agent_.services().filter, with_class(given, 2));
    if (probe())
        return report_probe(subject, event);
    bool wanted = (request_.flags & ipc::delivery_flags::trace) ||
                  (static_cast<mail::DsnNotify>(subject.notify) & mail::notify::success);
    if (wanted)
        trace(subject, event, event.action.empty() ? "delivered" : event.action);
    log(subject, event, "sent");
    return Disposition::done;
}

Disposition Job::report_failed(const Subject& subject, const Event& given) {
    Event event = filtered(agent_.services().filter, given.status.success() ? with_class(given, 4) : given);
    if (probe())
        return report_probe(subject, event);
    if (event.status.temporary())
        return defer(subject, event, "deferred");
    if (agent_.services().soft_bounce)
        return defer(subject, with_class(event, 4), "SOFTBOUNCE");
    bool told = bounce(subject, event);
    if (told && (request_.flags & ipc::delivery_flags::trace))
        told = trace(subject, event, "failed");
    if (!told) {
        event.status = {4, 3, 0};
        event.text = "bounce or trace service failure";
        event.diagnostic_type = event.diagnostic_text = {};
        return defer(subject, event, "deferred");
    }
    log(subject, event, "bounced");
    return Disposition::done;
}

Disposition Job::report_deferred(const Subject& subject, const Event& event) {
    return report_failed(subject, with_class(event, 4));
}
Disposition Job::report_bounced(const Subject& subject, const Event& event) { return report_failed(subject, event); }

void Job::settle(JobRecipient& recipient, Disposition disposition) {
    if (recipient.disposition != Disposition::none) {
        maillog::error("{}: to=<{}>: a second disposition for one recipient", id(), recipient.address);
        return;
    }
    if (disposition == Disposition::none)
        return;
    recipient.disposition = disposition;
    if (disposition == Disposition::deferred)
        reply_.deferred = true;
    else if (recipient.offset > 0)
        if (auto marked = file_.mark_done(recipient.offset); !marked)
            maillog::warning("{}: to=<{}>: cannot mark the recipient as done: {}", id(), recipient.address,
                             marked.error().reason);
}

void Job::fail_rest(const Event& event) {
    for (JobRecipient& r : recipients_)
        if (r.disposition == Disposition::none)
            failed(r, event);
}

void Job::site_failed(EnhancedStatus status, std::string_view reason) {
    reply_.site_status = status.text();
    reply_.site_reason = reason;
}

ipc::DeliveryReply Job::finish() {
    for (JobRecipient& r : recipients_) {
        if (r.disposition != Disposition::none)
            continue;
        maillog::error("{}: to=<{}>: the delivery agent left this recipient over", id(), r.address);
        deferred(r, {.status = {4, 3, 0}, .text = "internal error: recipient was left over"});
    }
    return reply_;
}
}
