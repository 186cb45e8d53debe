#include "to_queue.h"
#include <sys/socket.h>
#include <fmt/format.h>
#include "base/time.h"
#include "delivery/new_message.h"
#include "log/log.h"
#include "mail/dsn.h"
#include "transaction.h"

namespace smtpd {
using queue::RecordType;
namespace name = queue::attribute;

namespace {
class ToCleanup final : public ToQueue {
public:
    ToCleanup(delivery::NewMessage message, const std::string& service)
        : message_(std::move(message)), service_(service) {}
    std::string_view queue_id() const override { return message_.queue_id(); }
    bool failed() const override { return !message_.so_far(); }

protected:
    void put(RecordType type, std::string_view payload) override { message_.put(type, payload); }
    Result<ipc::CleanupReply> end() override {
        auto reply = message_.finish();
        if (!reply)
            return temporary(service_ + ": " + reply.error().reason);
        return reply;
    }

private:
    delivery::NewMessage message_;
    const std::string& service_;
};
}

Result<std::unique_ptr<ToQueue>> ToQueue::open(ipc::Client& cleanup, int flags) {
    TRY_ASSIGN(delivery::NewMessage message, delivery::NewMessage::open(cleanup, flags));
    return std::make_unique<ToCleanup>(std::move(message), cleanup.path());
}

void ToQueue::attribute(std::string_view key, std::string_view value) {
    put(RecordType::attribute, queue::attribute_payload(key, value));
}

void ToQueue::envelope(const Envelope& envelope, const Client& client, const Forwarded* forwarded, bool local,
                       const std::string& filter) {
    filter_ = filter;
    base::WallTime now = base::wall_now();
    put(RecordType::time, fmt::format("{} {}", now.seconds, now.microseconds));
    attribute(name::rewrite_context, local ? "local" : "remote");
    if (!envelope.id.empty())
        attribute(name::envelope_id, envelope.id);
    if (envelope.dsn_return)
        attribute(name::ret_flags, std::to_string(envelope.dsn_return));
    put(RecordType::sender, envelope.sender);
    if (!envelope.verp.empty())
        put(RecordType::verp, envelope.verp);
    attributes(envelope, client, forwarded);
}

void ToQueue::attributes(const Envelope& envelope, const Client& client, const Forwarded* forwarded) {
    auto known = [this](std::string_view key, std::string_view value) {
        if (!value.empty())
            attribute(key, value);
    };
    const std::string_view protocol = client.esmtp ? "ESMTP" : "SMTP";
    known(name::encoding, envelope.encoding);
    if (forwarded) {
        auto or_unknown = [](const std::string& text) -> std::string_view {
            return text.empty() ? std::string_view("unknown") : std::string_view(text);
        };
        known(name::log_ident, forwarded->ident);
        known(name::log_client_name, or_unknown(forwarded->name));
        known(name::log_client_address, or_unknown(forwarded->address));
        known(name::log_client_port, or_unknown(forwarded->port));
        known(name::log_message_origin, forwarded->shown());
        known(name::log_helo_name, forwarded->helo);
        known(name::log_protocol_name, or_unknown(forwarded->protocol));
    } else {
        known(name::log_client_name, client.name);
        known(name::log_client_address, client.address);
        known(name::log_client_port, client.port);
        known(name::log_message_origin, client.shown);
        known(name::log_helo_name, client.helo);
        known(name::log_protocol_name, protocol);
    }
    if (!client.login.empty()) {
        known(name::sasl_method, "XCLIENT");
        known(name::sasl_username, client.login);
    }
    known(name::client_name, client.name);
    known(name::reverse_client_name, client.reverse_name);
    known(name::client_address, client.address);
    known(name::client_port, client.port);
    known(name::server_address, client.server_address);
    known(name::server_port, client.server_port);
    known(name::helo_name, client.helo);
    known(name::protocol_name, protocol);
    attribute(name::client_address_type, std::to_string(client.family ? client.family : AF_UNSPEC));
}

Downstream::Refusal ToQueue::so_far() const { return failed() ? Refusal(not_written) : std::nullopt; }

Downstream::Refusal ToQueue::add(const EnvelopeRecipient& r) {
    if (!r.dsn_original.empty())
        attribute(name::dsn_orig_rcpt, r.dsn_original);
    if (r.dsn_notify)
        attribute(name::notify_flags, std::to_string(r.dsn_notify));
    put(RecordType::recipient, r.address);
    return so_far();
}

Downstream::Refusal ToQueue::begin(const Actions& of_session, const Actions& of_message, std::string_view received) {
    actions(of_session, of_message, filter_);
    put(RecordType::message);
    for (const Actions* a : {&of_session, &of_message})
        for (const std::string& header : a->prepend)
            put(RecordType::line, header);
    for (std::string_view rest = received;;) {
        std::size_t end = rest.find('\n');
        put(RecordType::line, rest.substr(0, end));
        if (end == rest.npos)
            break;
        rest.remove_prefix(end + 1);
    }
    return so_far();
}

void ToQueue::line(std::string_view text, bool ends) { put(ends ? RecordType::line : RecordType::part, text); }

std::string ToQueue::finish(const Actions& of_session, const Actions& of_message, std::string_view size) {
    put(RecordType::extracted);
    if (of_message.any())
        actions(of_session, of_message, {});
    auto reply = end();
    if (!reply) {
        maillog::warning("{}: {}", queue_id(), reply.error().reason);
        return std::string(not_written);
    }
    if (reply->ok)
        return fmt::format("250 2.0.0 Ok: {}queued as {}", size, queue_id());
    return fmt::format("{} {} {}", reply->smtp_code, reply->status, reply->reason);
}

void ToQueue::actions(const Actions& of_session, const Actions& of_message, const std::string& otherwise) {
    int flags = 0;
    if (of_session.hold || of_message.hold)
        flags |= ipc::cleanup_flags::hold;
    if (of_session.discard || of_message.discard)
        flags |= ipc::cleanup_flags::discard;
    if (flags)
        put(RecordType::flags, std::to_string(flags));
    const std::string& filter = !of_message.filter.empty()   ? of_message.filter
                                : !of_session.filter.empty() ? of_session.filter
                                                             : otherwise;
    const std::string& redirect = of_message.redirect.empty() ? of_session.redirect : of_message.redirect;
    if (!filter.empty())
        put(RecordType::filter, filter);
    if (!redirect.empty())
        put(RecordType::redirect, redirect);
    for (const Actions* a : {&of_session, &of_message})
        for (const std::string& address : a->bcc) {
            attribute(name::dsn_orig_rcpt, "rfc822;" + address);
            attribute(name::notify_flags, std::to_string(mail::notify::never));  // nobody asked for it
            put(RecordType::recipient, address);
        }
}
}
