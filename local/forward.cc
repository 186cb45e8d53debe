// Forwarding: addresses that an expansion yields are gathered, and go out as new messages through cleanup when the
// expansion is done: each recipient then has a record, a status and retries of its own.
//
// When things fail: a message that cleanup does not take (or does not answer for) defers the recipient; it is expanded
// again.
#include <fmt/format.h>
#include "conf/params/bounce.h"
#include "conf/params/cleanup.h"
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
constexpr std::size_t piece = 64 * 1024;

Forward& forward_for(Work& work, const State& state) {
    for (Forward& f : work.forwards)
        if (f.sender == state.sender && f.delivered == state.delivered)
            return f;
    return work.forwards.emplace_back(Forward{state.sender, state.delivered, {}});
}

// The new message up to the header of the old one.
std::string beginning(const Work& work, const Forward& forward, std::string_view id) {
    namespace name = queue::attribute;
    const ipc::DeliveryRequest& request = work.job.request();
    std::string out;
    auto attribute = [&](std::string_view key, std::string_view value) {
        if (!value.empty())
            queue::append(out, RecordType::attribute, fmt::format("{}={}", key, value));
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
    queue::append(out, RecordType::sender, forward.sender);
    for (const delivery::Subject& to : forward.recipients) {
        attribute(name::dsn_orig_rcpt, to.orcpt);
        if (to.notify)
            attribute(name::notify_flags, std::to_string(to.notify));
        if (!to.original.empty())
            queue::append(out, RecordType::original, to.original);
        queue::append(out, RecordType::recipient, to.address);
    }
    queue::append(out, RecordType::message);
    const conf::Settings& settings = work.context.settings;
    for (const std::string& line :
         delivery::received_lines(settings[param::myhostname], settings[param::mail_name], id, std::time(nullptr)))
        queue::append(out, RecordType::line, line);
    if (work.context.prepend_delivered.forward)
        queue::append(out, RecordType::line, "Delivered-To: " + mail::to_external(forward.delivered));
    return out;
}

Result<void> send_content(const Work& work, net::Stream& stream, std::string& out, loop::Deadline deadline) {
    queue::ContentReader content = work.job.content();
    for (;;) {
        TRY_ASSIGN(auto line, content.next());
        if (!line)
            break;
        queue::append(out, line->ends_line ? RecordType::line : RecordType::part, line->text);
        if (out.size() < piece)
            continue;
        TRY(stream.write(out, deadline));
        out.clear();
    }
    queue::append(out, RecordType::extracted);
    queue::append(out, RecordType::end);
    TRY(stream.write(out, deadline));
    return stream.flush(deadline);
}

struct Begun {
    ipc::Client::Lease lease;
    std::string id;
};

Result<Begun> begin(Work& work, bool fresh) {
    ipc::Client& cleanup = work.context.cleanup;
    TRY_ASSIGN(ipc::Client::Lease lease, cleanup.borrow(fresh));
    ipc::CleanupOpen open{.flags = ipc::cleanup_flags::internal};
    const auto options = static_cast<std::uint32_t>(work.job.request().send_options);
    if (options & mail::smtputf8::any)
        open.flags |= ipc::cleanup_flags::smtputf8;
    if (options & mail::send_option::require_tls)
        open.flags |= ipc::cleanup_flags::require_tls;
    TRY(ipc::send(lease.stream(), open, cleanup.deadline()));
    TRY(lease->flush(cleanup.deadline()));
    TRY_ASSIGN(ipc::CleanupOpened opened, ipc::receive<ipc::CleanupOpened>(lease.stream(), cleanup.deadline()));
    if (opened.queue_id.empty())
        return temporary(opened.reason);
    return Begun{std::move(lease), std::move(opened.queue_id)};
}

// A kept connection that cleanup has closed meanwhile is replaced; nothing was promised on it.
Result<Begun> begin(Work& work) {
    Result<Begun> kept = begin(work, false);
    if (kept)
        return kept;
    return begin(work, true);
}

// The new message's queue id.
Result<std::string> submit(Work& work, const Forward& forward) {
    Result<Begun> begun = begin(work);
    if (!begun)
        return tl::unexpected(begun.error());
    ipc::Client::Lease& lease = begun->lease;
    const loop::Deadline deadline = work.context.cleanup.deadline();
    std::string out = beginning(work, forward, begun->id);
    TRY(send_content(work, lease.stream(), out, deadline));
    TRY_ASSIGN(ipc::CleanupReply reply, ipc::receive<ipc::CleanupReply>(lease.stream(), deadline));
    lease.keep();
    if (reply.ok)
        return begun->id;
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
