#include "session.h"
#include <memory>
#include <optional>
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "ipc/bounce.h"
#include "ipc/cleanup.h"
#include "ipc/client.h"
#include "ipc/qmgr.h"
#include "log/log.h"
#include "message.h"
#include "rules.h"

namespace cleanup {
using queue::RecordType;

namespace {
std::optional<Rules> rules;
std::unique_ptr<ipc::Client> trace;
std::unique_ptr<ipc::Client> queue_manager;  // "public/qmgr"
std::chrono::seconds in_flow_delay{0};
std::size_t in_flow_most = 100;
ipc::NewMail new_mail;
loop::Fiber* notifier = nullptr;

bool tell_expanded(const ipc::ReportAppend& report) {
    const auto reply = trace->ask<ipc::BounceReply>(report);
    if (reply && reply->ok)
        return true;
    maillog::warning("{}: trace service: {}", report.queue_id, reply ? reply->reason : reply.error().reason);
    return false;
}

void tell_forget(const std::string& queue_id) {
    if (const auto reply = trace->ask<ipc::BounceReply>(ipc::ReportForget{queue_id}); !reply)
        maillog::warning("{}: trace service: {}", queue_id, reply.error().reason);
}

// The client's records, as many as one read brings.
class Records {
public:
    Records(net::Stream& stream, std::chrono::seconds timeout) : stream_(stream), timeout_(timeout) {}
    // Hands each record to `message` until END. What the stream brings is looked at where it lies; a record that is cut
    // waits in buffer_.
    Result<void> feed(MessageWriter& message) {
        while (!message.ended()) {
            TRY_ASSIGN(std::string_view more, stream_.read_some(64 * 1024, loop::in(timeout_)));
            if (more.empty())
                return temporary("lost connection");
            if (!buffer_.empty()) {
                buffer_.append(more);
                more = buffer_;
            }
            queue::Record record{};
            std::size_t needed = 0;
            queue::Decoded decoded;
            while (!message.ended() && (decoded = queue::decode(more, record, needed)) == queue::Decoded::record) {
                message.take(record.type, record.payload);
                if (++taken_ % look_at_clock == 0)
                    loop::breathe();  // what 64 KiB of short lines cost depends on body_checks
            }
            if (!message.ended() && decoded == queue::Decoded::damaged)
                return temporary("malformed record");
            if (message.ended() && !more.empty())
                return temporary("data after the end record");
            std::string rest(more);
            buffer_ = std::move(rest);
            if (!message.ended())
                loop::yield();  // a client that sends without pause does not hold up the others
        }
        return {};
    }

private:
    net::Stream& stream_;
    std::chrono::seconds timeout_;
    std::string buffer_{};
    std::size_t taken_ = 0;
    static constexpr std::size_t look_at_clock = 16;  // records: some take less time than a look at the clock
};

Result<ipc::CleanupOpen> next_request(net::Stream& stream) {
    server::Idle idle;
    return ipc::receive<ipc::CleanupOpen>(stream, loop::in(rules->timeout));
}

// Mail that comes in faster than qmgr takes it is slowed down, not stopped: a pause before each message from outside
// while more wait than there may be processes. What we make ourselves (bounces, forwarded mail) takes its place in the
// queue at once.
void pause_when_ahead(int flags) {
    const bool ours = (flags & ipc::cleanup_flags::external) == ipc::cleanup_flags::internal;
    if (!ours && in_flow_delay.count() > 0 && server::mail_waiting() > in_flow_most)
        loop::sleep_until(loop::in(in_flow_delay));
}

// One message. False: the connection cannot be used any more.
bool converse(net::Stream& stream) {
    const auto open = next_request(stream);
    if (!open) {
        if (!stream.at_end() && !server::stopping())
            maillog::warning("cleanup client: {}", open.error().reason);
        return false;
    }
    pause_when_ahead(open->flags);
    server::Commit whole;  // a stop waits for a client that waits for the reply; others close first
    auto file = queue::NewQueueFile::create(rules->directories, queue::incoming, rules->long_ids);
    if (!file) {
        maillog::warning("create queue file: {}", file.error().reason);
        const ipc::CleanupOpened no{"", file.error().status.text(), "Error: queue file write error"};
        return ipc::send(stream, no, loop::in(rules->timeout)).has_value() &&
               stream.flush(loop::in(rules->timeout)).has_value();
    }
    MessageWriter message(*rules, {ask_trivial_rewrite, tell_expanded, tell_forget}, open->flags, std::move(*file));
    const ipc::CleanupOpened yes{message.id().text(), "", ""};
    if (!ipc::send(stream, yes, loop::in(rules->timeout)) || !stream.flush(loop::in(rules->timeout))) {
        message.withdraw();
        return false;
    }
    if (const auto fed = Records(stream, rules->timeout).feed(message); !fed) {
        message.withdraw();
        if (!stream.at_end())
            maillog::warning("{}: cleanup client: {}", message.id().text(), fed.error().reason);
        return false;
    }
    const ipc::CleanupReply reply = message.finish();
    if (message.queued()) {
        new_mail.queue_ids.push_back(message.id().text());
        if (notifier)
            loop::loop()->wake(*notifier);
    }
    return ipc::send(stream, reply, loop::in(rules->timeout)).has_value() &&
           stream.flush(loop::in(rules->timeout)).has_value();
}
}

Result<void> open_rules(const conf::Settings& settings) {
    TRY_ASSIGN(rules, Rules::open(settings));
    queue_manager = std::make_unique<ipc::Client>("public/" + settings[param::queue_service_name], settings);
    in_flow_delay = settings[param::in_flow_delay];
    in_flow_most = static_cast<std::size_t>(settings[param::default_process_limit]);
    connect_trivial_rewrite(settings);
    trace = std::make_unique<ipc::Client>("private/" + settings[param::trace_service_name], settings);
    return {};
}

void serve(server::Connection& session) {
    while (converse(session.stream)) {}
}

// only_fresh: a kept connection turned out to be closed.
static bool tell_queue_manager(const ipc::NewMail& mail, bool only_fresh) {
    auto lease = queue_manager->borrow(only_fresh);
    if (!lease || !ipc::send(lease->stream(), mail, queue_manager->deadline()) ||
        !lease->stream().flush(queue_manager->deadline()))
        return false;
    lease->keep();
    return true;
}

void notify_queue_manager() {
    struct Here {
        Here() { notifier = loop::current(); }
        ~Here() { notifier = nullptr; }
    } here;
    while (true) {
        while (new_mail.queue_ids.empty())
            loop::loop()->park();
        const ipc::NewMail now = std::exchange(new_mail, {});
        if (!tell_queue_manager(now, false) && !tell_queue_manager(now, true))
            server::wake_service(queue_manager->path(), "I");
    }
}
}
