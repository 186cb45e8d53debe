// Manager: all that could be done with a message now is done. Failures are reported, what is deferred is put off (or,
// too old, returned), and what is finished is removed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <limits>
#include <set>
#include "conf/params/global.h"
#include "log/log.h"
#include "mail/address.h"
#include "manager.h"
#include "queue/failure_log.h"

namespace qmgr {
// Recipients have been dealt with. Nothing of the message may be touched after this, it may be gone.
void Manager::settled(Message& message, std::size_t recipients) {
    message.in_memory -= std::min(message.in_memory, recipients);
    recipients_ -= std::min(recipients_, recipients);
    if (wants_refill(message, loop::Clock::now())) {
        message.refilling = true;
        loop::loop()->spawn([this, &message] { refill(message); });
        return;
    }
    if (message.in_memory > 0 || message.unread > 0 || message.refilling)
        return;
    message.refilling = true;  // nothing starts it again
    loop::loop()->spawn([this, &message] { finish(message); });
}

static bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

void Manager::finish(Message& message) {
    const bool bounced = exists(directories_.path(queue::bounce_log, message.id));
    if (bounced && !send_bounces(message))
        message.deferred = true;
    if (message.traced && exists(directories_.path(queue::trace_log, message.id)))
        send_traces(message);
    if (!message.deferred)
        remove(message);
    else if (expire(message))
        remove(message);
    else
        put_off(message);
    forget(message);
}

bool Manager::send_report(const Message& message, ipc::Client& service, std::string_view kind) {
    ipc::ReportSend request;
    request.kind = kind;
    request.queue_name = queue::active;
    request.queue_id = message.id.text();
    request.encoding = message.envelope.encoding;
    request.send_options = static_cast<int>(message.envelope.size.send_options);
    request.sender = message.envelope.sender;
    request.envid = message.envelope.dsn_envelope_id;
    request.ret = message.envelope.dsn_return;
    if (request.kind == "bounce" && message.verp() && !settings_[param::disable_verp_bounces])
        request.verp = message.envelope.verp.empty() ? "+=" : message.envelope.verp;
    auto reply = service.ask<ipc::BounceReply>(request);
    if (reply && reply->ok)
        return true;
    maillog::warning("{}: {}: {}", message.id.text(), service.path(), reply ? reply->reason : reply.error().reason);
    return false;
}

bool Manager::send_bounces(Message& message) { return send_report(message, bounce_, "bounce"); }

// A report that cannot be sent does not keep the message: it would be delivered again for it.
void Manager::send_traces(Message& message) {
    const int probe_or_record = (1 << 9) | (1 << 10);
    send_report(message, trace_, message.envelope.trace_flags & probe_or_record ? "verify" : "trace");
}

// Too old, or an administrator's wish: the reasons for the delay go back to the sender. True when they have.
bool Manager::expire(Message& message) {
    struct stat st {};
    if (::stat(directories_.path(queue::active, message.id).c_str(), &st) != 0)
        return false;
    message.mode = st.st_mode & 07777;
    const auto lifetime = message.envelope.sender.empty() ? config_.bounce_lifetime : config_.queue_lifetime;
    const bool old = base::wall_now().seconds >= message.envelope.arrival.seconds + lifetime.count();
    if (!old && !message.force_expired()) {
        warn_of_delay(message);
        return false;
    }
    maillog::info("{}: from=<{}>, status={}, returned to sender", message.id.text(),
                  mail::to_external(message.envelope.sender), message.force_expired() ? "force-expired" : "expired");
    return explain_rest(message) && send_report(message, defer_, "bounce");
}

// Recipients that stay and of whom the log of deferrals says nothing.
static Result<std::vector<queue::Recipient>> unexplained(const queue::Directories& directories,
                                                         const Message& message) {
    std::set<std::int64_t> offsets;
    std::set<std::string> addresses;
    auto entries = queue::read_failure_log(directories.path(queue::defer_log, message.id));
    if (!entries && entries.error().sys_errno != ENOENT)
        return tl::unexpected(std::move(entries.error()));
    if (entries)
        for (const queue::FailureEntry& e : *entries) {
            offsets.insert(e.offset);
            addresses.insert(e.recipient);
        }
    std::vector<queue::Recipient> rest;
    if (!message.envelope.redirect.empty() && !addresses.empty())
        return rest;  // one address stands for all
    TRY_ASSIGN(auto file, queue::QueueFile::open(directories, queue::active, message.id, queue::Access::read));
    TRY(queue::RecipientReader(file, message.envelope).read(rest, std::numeric_limits<std::size_t>::max()));
    std::erase_if(rest, [&](const queue::Recipient& r) {
        return offsets.contains(r.offset) || addresses.contains(mail::to_external(r.address));
    });
    return rest;
}

// The log of deferrals is not synced, and its service may have died before it wrote: what it does not know of would be
// in no report.
bool Manager::explain_rest(const Message& message) {
    Result<std::vector<queue::Recipient>> rest;
    loop::file_job([&] { rest = unexplained(directories_, message); });
    if (!rest) {
        maillog::warning("{}: {}", message.id.text(), rest.error().reason);
        return false;
    }
    for (const queue::Recipient& r : *rest) {
        ipc::ReportAppend entry{.queue_id = message.id.text(),
                                .offset = r.offset,
                                .address = r.address,
                                .original = r.original,
                                .orcpt = r.dsn_original,
                                .notify = r.dsn_notify,
                                .status = message.force_expired() ? "4.7.0" : "4.4.7",
                                .action = "delayed",
                                .reason = message.force_expired() ? "message is administratively expired"
                                                                  : "delivery time expired",
                                .diagnostic_type = {},
                                .diagnostic_text = {},
                                .mta_type = {},
                                .mta_name = {}};
        auto reply = defer_.ask<ipc::BounceReply>(entry);
        if (reply && reply->ok)
            continue;
        maillog::warning("{}: {}: {}", message.id.text(), defer_.path(), reply ? reply->reason : reply.error().reason);
        return false;
    }
    return true;
}

void Manager::warn_of_delay(Message& message) {
    const std::int64_t due = message.envelope.warn_time;
    if (due <= 0 || base::wall_now().seconds <= due || message.envelope.sender.empty())
        return;
    if (!send_report(message, defer_, "warn") || message.envelope.warn_at == 0)
        return;
    auto file = queue::QueueFile::open(directories_, queue::active, message.id, queue::Access::update);
    if (!file)
        return;
    if (auto marked = file->mark_warned(message.envelope.warn_at); !marked)
        maillog::warning("{}: {}", message.id.text(), marked.error().reason);
}

// Until it succeeds: a disk that is full, failing or read-only may become well again, and what is left in active
// without a message in memory would lie there until the next start. ENOENT is success: postsuper has been here.
void Manager::insist(const mail::QueueId& id, const std::function<Result<void>()>& job) {
    for (bool told = false;; told = true) {
        Result<void> done;
        loop::file_job([&] { done = job(); });
        if (done || done.error().sys_errno == ENOENT)
            return;
        if (!told)
            maillog::error("{}: {}", id.text(), done.error().reason);
        loop::sleep_until(
            loop::in(std::min<std::chrono::nanoseconds>(config_.minimal_backoff, std::chrono::seconds(10))));
    }
}

// The pause is as long as the message is old, within limits: attempts grow apart by themselves, across restarts too.
void Manager::put_off(Message& message) {
    const std::int64_t now = base::wall_now().seconds,
                       age = std::max<std::int64_t>(0, now - message.envelope.arrival.seconds);
    const std::int64_t pause =
        std::clamp<std::int64_t>(age, config_.minimal_backoff.count(), config_.maximal_backoff.count());
    const timespec times[2] = {{now + pause, 0}, {now + pause, 0}};
    insist(message.id, [&]() -> Result<void> {
        const std::string path = directories_.path(queue::active, message.id);
        if (::utimensat(AT_FDCWD, path.c_str(), times, 0) != 0)
            return system_error("utimensat " + path, errno);
        return directories_.rename(message.id, queue::active, queue::deferred);
    });
    if (on_deferred)
        on_deferred(message.id, now + pause);
}

void Manager::remove(Message& message) {
    insist(message.id, [&] {
        return settings_[param::dont_remove] != 0 ? directories_.rename(message.id, queue::active, queue::saved)
                                                  : directories_.remove(queue::active, message.id);
    });
    maillog::info("{}: removed", message.id.text());
}

void Manager::forget(Message& message) {
    old_ -= message.old;
    messages_.erase(message.id.text());
    if (on_room)
        on_room();
}

void Manager::revive_all() {
    resolver_.forget();
    for (auto& [name, s] : services_) {
        s->transport.dead = false;
        std::vector<Destination*> all;
        for (auto& [key, destination] : s->transport.destinations)
            if (destination->dead)
                all.push_back(destination.get());
        for (Destination* d : all) {
            d->dead = false;
            d->concurrency.revive();
            s->transport.wake(*d, loop::Clock::now());
            s->transport.forget_if_idle(*d);
        }
        dispatch(*s);
    }
}

// Every second.
void Manager::maintain() {
    const Time now = loop::Clock::now();
    for (auto& [name, s] : services_) {
        Transport& t = s->transport;
        if (t.dead && now >= t.dead_until)
            t.dead = false;
        std::vector<Destination*> over;
        for (auto& [key, d] : t.destinations)
            if (d->dead && now >= d->dead_until)
                over.push_back(d.get());
        for (Destination* d : over) {
            d->dead = false;
            d->concurrency.revive();
            t.wake(*d, now);
            t.forget_if_idle(*d);
        }
        dispatch(*s);
    }
    std::vector<Message*> short_of;
    for (auto& [id, message] : messages_)
        if (wants_refill(*message, now))
            short_of.push_back(message.get());
    for (Message* message : short_of)
        settled(*message, 0);
}
}
