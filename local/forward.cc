// Forwarding: addresses that an expansion yields are gathered, and go out as new messages through cleanup when the
// expansion is done: each recipient then has a record, a status and retries of its own.
//
// When things fail: a message that cleanup does not take (or does not answer for) defers the recipient; it is expanded
// again.
#include <fmt/format.h>
#include "conf/params/bounce.h"
#include "conf/params/cleanup.h"
#include "delivery/new_message.h"
#include "delivery/post.h"
#include "ipc/cleanup.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "queue/record.h"
#include "server/server.h"
#include "recipient.h"

namespace local {
namespace {
using queue::RecordType;

Forward& forward_for(Work& work, const State& state) {
    for (Forward& f : work.forwards)
        if (f.sender == state.sender && f.delivered == state.delivered)
            return f;
    return work.forwards.emplace_back(Forward{state.sender, state.delivered, {}});
}

// The new message up to the header of the old one.
void begin(const Work& work, const Forward& forward, delivery::NewMessage& out) {
    namespace name = queue::attribute;
    const ipc::DeliveryRequest& request = work.job.request();
    auto attribute = [&](std::string_view key, std::string_view value) {
        if (!value.empty())
            out.attribute(key, value);
    };
    attribute(name::encoding, request.encoding);
    attribute(name::log_ident, request.log_ident);
    attribute(name::log_client_name, request.log_client_name);
    attribute(name::log_client_address, request.log_client_address);
    attribute(name::log_client_port, request.log_client_port);
    attribute(name::log_helo_name, request.log_helo_name);
    attribute(name::log_protocol_name, request.log_protocol_name);
    attribute(name::sasl_method, request.sasl_method);
    attribute(name::sasl_username, request.sasl_username);
    attribute(name::sasl_sender, request.sasl_sender);
    attribute(name::rewrite_context, request.rewrite_context);
    if (forward.sender == request.sender) {
        attribute(name::envelope_id, request.envid);
        if (request.ret)
            attribute(name::ret_flags, std::to_string(request.ret));
    }
    out.put(RecordType::sender, forward.sender);
    for (const delivery::Subject& to : forward.recipients) {
        attribute(name::dsn_orig_rcpt, to.orcpt);
        if (to.notify)
            attribute(name::notify_flags, std::to_string(to.notify));
        if (!to.original.empty())
            out.put(RecordType::original, to.original);
        out.put(RecordType::recipient, to.address);
    }
    out.put(RecordType::message);
    const conf::Settings& settings = work.context.settings;
    for (const std::string& line : delivery::received_lines(settings[param::myhostname], settings[param::mail_name],
                                                            out.queue_id(), std::time(nullptr)))
        out.line(line, true);
    if (work.context.prepend_delivered.forward)
        out.line("Delivered-To: " + mail::to_external(forward.delivered), true);
}

Result<void> send_content(const Work& work, delivery::NewMessage& out) {
    queue::ContentReader content = work.job.content();
    for (;;) {
        TRY_ASSIGN(auto line, content.next());
        if (!line)
            break;
        out.line(line->text, line->ends_line);
        TRY(out.so_far());
    }
    out.put(RecordType::extracted);
    return {};
}

int flags_for(const ipc::DeliveryRequest& request) {
    int flags = ipc::cleanup_flags::internal;
    const auto options = static_cast<std::uint32_t>(request.send_options);
    if (options & mail::smtputf8::any)
        flags |= ipc::cleanup_flags::smtputf8;
    if (options & mail::send_option::require_tls)
        flags |= ipc::cleanup_flags::require_tls;
    return flags;
}

// The new message's queue id.
Result<std::string> submit(Work& work, const Forward& forward) {
    TRY_ASSIGN(auto message, delivery::NewMessage::open(work.context.cleanup, flags_for(work.job.request())));
    begin(work, forward, message);
    TRY(send_content(work, message));
    TRY_ASSIGN(ipc::CleanupReply reply, message.finish());
    if (reply.ok)
        return message.queue_id();
    EnhancedStatus status{4, 3, 0};
    EnhancedStatus::parse(reply.status, status);
    return tl::unexpected(Error{status, reply.reason, 0});
}
}

Disposition forward_later(Work& work, const State& state) {
    if (work.job.probe())
        return sent(work, state, "forwards to " + state.subject.address);
    // Cleanup would refuse the whole message for it: the other members get theirs.
    if (const std::size_t size = state.subject.address.size(); size > queue::address_max)
        return failed(work, state, {5, 1, 3},
                      fmt::format("recipient address of {} bytes: the limit is {}", size, queue::address_max));
    if (!work.first_time(fmt::format("forward {} {}", state.sender, mail::fold_case(state.subject.address))))
        return Disposition::done;
    delivery::Subject to = state.subject;
    // "Delivered" will be told of this hop, as "expanded"; the next one tells of failures and delays.
    to.notify &= ~static_cast<int>(mail::notify::success);
    forward_for(work, state).recipients.push_back(std::move(to));
    return Disposition::done;
}

Disposition send_forwards(Work& work, const delivery::Subject& subject) {
    Disposition all = Disposition::done;
    for (const Forward& forward : work.forwards) {
        auto id = submit(work, forward);
        if (id) {
            all = both(all, work.job.report_delivered(subject, {.relay = server::service_name(),
                                                                .text = "forwarded as " + *id,
                                                                .action = "expanded"}));
            continue;
        }
        maillog::warning("{}: forwarding to {} recipients failed: {}", work.job.id(), forward.recipients.size(),
                         id.error().reason);
        all = both(all, work.job.report_failed(subject, {.relay = server::service_name(),
                                                         .status = id.error().status,
                                                         .text = "forwarding failed: " + id.error().reason}));
    }
    return all;
}
}
