// Manager: a file of incoming or deferred becomes a message in memory.
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include "base/bytes.h"
#include "conf/params/bounce.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/qmgr.h"
#include "conf/params/rewrite.h"
#include "log/log.h"
#include "mail/address.h"
#include "manager.h"

namespace qmgr {
Config::Config(const conf::Settings& s)
    : minimal_backoff(s[param::minimal_backoff_time]),
      maximal_backoff(s[param::maximal_backoff_time]),
      queue_lifetime(s[param::maximal_queue_lifetime]),
      bounce_lifetime(s[param::bounce_queue_lifetime]),
      transport_retry(s[param::transport_retry_time]),
      ipc_timeout(s[param::qmgr_ipc_timeout]),
      daemon_timeout(s[param::daemon_timeout]),
      clog_warn(s[param::qmgr_clog_warn_time]),
      messages(static_cast<std::size_t>(s[param::qmgr_message_active_limit])),
      recipients(static_cast<std::size_t>(s[param::qmgr_message_recipient_limit])),
      recipients_minimum(static_cast<std::size_t>(s[param::qmgr_message_recipient_minimum])),
      helpful(s[param::helpful_warnings]),
      feedback_debug(s[param::destination_concurrency_feedback_debug]),
      recipient_delimiter(s[param::recipient_delimiter]),
      double_bounce(s[param::double_bounce_sender]) {
    maximal_backoff = std::max(maximal_backoff, minimal_backoff);
}

Manager::Manager(const conf::Settings& settings, SessionLimits sessions)
    : settings_(settings),
      config_(settings),
      sessions_(std::move(sessions)),
      directories_(settings),
      self_(settings, ""),
      resolver_(settings),
      bounce_("private/" + settings[param::bounce_service_name], config_.ipc_timeout * 10),
      defer_("private/" + settings[param::defer_service_name], config_.ipc_timeout * 10),
      trace_("private/" + settings[param::trace_service_name], config_.ipc_timeout * 10) {}
Manager::~Manager() = default;

struct Manager::Loaded {
    Taken result = Taken::failed;
    Error error{};
    bool damaged = false, moved = false;
    unsigned mode = 0;
    queue::Envelope envelope{};
    std::vector<queue::Recipient> recipients{};
    std::int64_t next_offset = 0;
    bool has_defer_log = false;
};

// One job for the pool: open, look, lock, move, read. The lock is given up with the descriptor: it only shows that the
// file is on disk (NewQueueFile::commit) and that no delivery agent of an earlier qmgr still has the message.
Manager::Loaded Manager::load(const mail::QueueId& id, std::string_view from, std::size_t most) {
    Loaded out;
    auto fail = [&](Taken result, Error error) {
        out.result = result;
        out.error = std::move(error);
        return std::move(out);
    };
    auto file = queue::QueueFile::open(directories_, from, id, queue::Access::update);
    if (!file)
        return fail(file.error().sys_errno == ENOENT ? Taken::gone : Taken::failed, file.error());
    const bool later = from == queue::incoming &&
                       file->modified() > base::wall_now().seconds;  // cleanup gave it a time (NewQueueFile::set_due)
    if (!file->complete() || later)
        return fail(Taken::not_ready, {});
    auto alone = file->try_lock_exclusive();
    if (!alone)
        return fail(Taken::failed, alone.error());
    if (!*alone) {
        // Agents share their lock; a writer, whose fsync is under way, does not. It tells us when it is done.
        auto shared = file->try_lock_shared();
        return fail(shared && *shared ? Taken::busy : Taken::not_ready, {});
    }
    if (auto moved = directories_.rename(id, from, queue::active); !moved)
        return fail(moved.error().sys_errno == ENOENT ? Taken::gone : Taken::failed, moved.error());
    out.moved = true;
    out.mode = file->mode();
    queue::FirstRecipients first{std::max<std::size_t>(most, 1)};
    auto envelope = file->envelope(&first);
    if (!envelope) {
        out.damaged = queue::is_damage(envelope.error());
        return fail(Taken::failed, envelope.error());
    }
    out.envelope = std::move(*envelope);
    out.recipients = std::move(first.list);
    out.next_offset = first.next_offset;
    out.result = Taken::taken;
    const std::string log = directories_.path(queue::defer_log, id);
    if ((out.mode & 0010) != 0)
        out.has_defer_log = ::access(log.c_str(), F_OK) == 0;  // its reasons go into the report
    else
        ::unlink(log.c_str());  // each attempt gives its own
    return out;
}

void Manager::set_aside(const mail::QueueId& id, const Error& why) {
    maillog::warning("{}: message rejected: {}", id.text(), why.reason);
    maillog::warning("saving corrupt file \"{}\" from queue \"active\" to queue \"corrupt\"", id.text());
    insist(id, [&] { return directories_.rename(id, queue::active, queue::corrupt); });
}

void Manager::log_taken(const Message& m) const {
    maillog::info("{}: from=<{}>, size={}, nrcpt={} (queue active)", m.id.text(), mail::to_external(m.envelope.sender),
                  m.envelope.size.content_length, m.envelope.size.recipients);
}

Taken Manager::activate(const mail::QueueId& id, std::string_view from, bool flush) {
    if (is_active(id))
        return Taken::gone;  // a second name for what is being delivered
    std::size_t room = config_.recipients > recipients_ ? config_.recipients - recipients_ : 0;
    Loaded loaded;
    loop::file_job([&] { loaded = load(id, from, std::max(room, config_.recipients_minimum)); });
    if (loaded.result != Taken::taken) {
        if (loaded.damaged)
            set_aside(id, loaded.error);
        else if (loaded.result == Taken::failed) {
            maillog::error("{}: {}", id.text(), loaded.error.reason);
            // Where it was moved already and could not be read then: back, or it would lie in active until the next
            // start.
            if (loaded.moved)
                insist(id, [&] { return directories_.rename(id, queue::active, from); });
        }
        return loaded.result;
    }
    auto owned = std::make_unique<Message>(id);
    Message& message = *owned;
    messages_.emplace(id.text(), std::move(owned));
    message.envelope = std::move(loaded.envelope);
    message.active = base::wall_now();
    message.serial = ++serial_;
    message.picked = loop::Clock::now();
    message.refilled = message.picked;
    message.mode = loaded.mode;
    message.flush = flush;
    message.old = from == queue::deferred;
    old_ += message.old;
    message.traced = message.envelope.trace_flags != 0 || message.envelope.size.qmgr_flags != 0;
    message.next_offset = loaded.next_offset;
    message.unread = message.envelope.remaining > loaded.recipients.size()
                         ? message.envelope.remaining - loaded.recipients.size()
                         : 0;
    log_taken(message);
    if (message.force_expired() && loaded.has_defer_log) {  // the reasons of earlier attempts are the answer
        message.deferred = true;
        message.unread = 0;
        finish(message);
        return Taken::taken;
    }
    if (!message.envelope.redirect.empty()) {  // one delivery, to the address that takes the place of all
        loaded.recipients.resize(std::min<std::size_t>(loaded.recipients.size(), 1));
        message.unread = 0;
    }
    assign(message, std::move(loaded.recipients));
    return Taken::taken;
}
}
