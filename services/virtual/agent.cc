// See agent.h.
#include "agent.h"

#include <fmt/format.h>
#include <limits>
#include "base/bytes.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/local.h"
#include "conf/params/virtual.h"
#include "delivery/copy.h"
#include "log/log.h"
#include "server/server.h"
#include "table/address_lookup.h"

namespace virtual_mailbox {
namespace {
// The values decide files and users: no pattern may put the sender's words there.
table::Maps maps(const conf::Settings& settings, const conf::Text& parameter) {
    table::OpenOptions options;
    options.refuse_substitution = true;
    return table::Maps::open(parameter.name, settings[parameter], options);
}
Failure misconfigured() { return temporary("mail system configuration error", {4, 3, 5}); }
}

Result<Context> Context::make(const conf::Settings& settings) {
    Context c;
    c.agent_ = std::make_unique<delivery::Agent>(settings, settings[param::virtual_delivery_status_filter]);
    c.mailboxes_ = maps(settings, param::virtual_mailbox_maps);
    c.uids_ = maps(settings, param::virtual_uid_maps);
    c.gids_ = maps(settings, param::virtual_gid_maps);
    TRY_ASSIGN(c.locks_, delivery::lock_rules(settings, settings[param::virtual_mailbox_lock]));
    c.base_ = settings[param::virtual_mailbox_base];
    c.delimiters_ = settings[param::recipient_delimiter];
    c.size_limit_ = settings[param::virtual_mailbox_limit];
    c.minimum_uid_ = settings[param::virtual_minimum_uid];
    c.strict_ = settings[param::strict_mailbox_ownership];
    c.original_to_ = settings[param::enable_original_recipient];
    std::int64_t message = settings[param::message_size_limit];
    if (c.size_limit_ > 0 && (message == 0 || c.size_limit_ < message))
        return permanent("main.cf configuration error: virtual_mailbox_limit is smaller than message_size_limit");
    return c;
}

Result<std::optional<std::string>> Context::look_up(const table::Maps& maps, std::string_view address) const {
    table::AddressRules rules;
    rules.forms = table::forms_sender;
    rules.delimiters = delimiters_;
    TRY_ASSIGN(std::optional<table::AddressMatch> match, table::find_address(maps, address, rules));
    return match ? std::optional(match->value) : std::nullopt;
}

Result<std::int64_t> Context::id_of(const table::Maps& maps, std::string_view address, std::string_view what,
                                    std::int64_t least) const {
    TRY_ASSIGN(std::optional<std::string> value, look_up(maps, address));
    if (!value) {
        maillog::warning("recipient {}: not found in {}", address, maps.title());
        return misconfigured();
    }
    auto number = bytes::to_int(bytes::trim(*value));
    if (!number || *number < least || *number > std::numeric_limits<std::int32_t>::max()) {
        maillog::warning("recipient {}: bad {} {} in {}", address, what, *value, maps.title());
        return misconfigured();
    }
    return *number;
}

Result<std::optional<delivery::MailboxTarget>> Context::find(std::string_view address) const {
    TRY_ASSIGN(std::optional<std::string> mailbox, look_up(mailboxes_, address));
    if (!mailbox)
        return std::optional<delivery::MailboxTarget>();
    delivery::MailboxTarget target;
    target.path = base_.empty() ? *mailbox : base_ + "/" + *mailbox;
    if (!target.path.starts_with('/')) {
        maillog::warning("recipient {}: mailbox {} is no absolute path name", address, target.path);
        return misconfigured();
    }
    TRY_ASSIGN(std::int64_t uid, id_of(uids_, address, "uid", minimum_uid_));
    TRY_ASSIGN(std::int64_t gid, id_of(gids_, address, "gid", 1));
    target.rights = {static_cast<uid_t>(uid), static_cast<gid_t>(gid), std::string(address)};
    target.size_limit = size_limit_;
    target.locks = locks_;
    target.strict_ownership = strict_;
    return std::optional(std::move(target));
}

void Context::deliver_one(delivery::Job& job, delivery::JobRecipient& recipient) const {
    auto report = [&](EnhancedStatus status, std::string text) {
        job.failed(recipient, {.relay = server::service_name(), .status = status, .text = std::move(text)});
    };
    auto good = [&](std::string text) {
        job.delivered(recipient, {.relay = server::service_name(), .text = std::move(text)});
    };
    auto target = find(recipient.address);
    if (!target) {
        if (target.error().status == EnhancedStatus{4, 3, 5})
            return report({4, 3, 5}, target.error().reason);
        maillog::warning("{}: {}", job.id(), target.error().reason);
        return report({4, 3, 0}, "table lookup failure");
    }
    if (!*target)
        return report({5, 1, 1}, fmt::format("unknown user: \"{}\"", recipient.address));
    const delivery::MailboxTarget& mailbox = **target;
    const bool maildir = mailbox.path.ends_with('/');
    if (job.probe())
        return good(maildir ? "delivers to maildir" : "delivers to mailbox");
    delivery::CopyOptions options;
    options.return_path = options.delivered_to = true;
    options.from_line = options.quote_from = options.blank_line = !maildir;
    options.original_to = original_to_;
    options.sender = job.request().sender;
    options.original = recipient.original;
    options.delivered = recipient.address;
    auto write = [&](const delivery::Sink& sink) -> Result<void> {
        TRY(delivery::copy_message(job, options, sink));
        return {};
    };
    Result<void> done;
    if (maildir)
        done = delivery::add_to_maildir(mailbox, write);
    else if (auto appended = delivery::append_to_mbox(mailbox, write); !appended)
        done = tl::unexpected(appended.error());
    if (done)
        return good(maildir ? "delivered to maildir" : "delivered to mailbox");
    // The owner of a mailbox can do something about a quota; about the rest, the administrator.
    EnhancedStatus status =
        done.error().status == EnhancedStatus{5, 2, 2} ? done.error().status : EnhancedStatus{4, 2, 0};
    report(status, maildir ? "maildir delivery failed: " + done.error().reason
                           : "delivery failed to mailbox " + mailbox.path + ": " + done.error().reason);
}

void Context::deliver(delivery::Job& job) const {
    for (delivery::JobRecipient& recipient : job.recipients())
        deliver_one(job, recipient);
}

static std::optional<Context> context;  // for the life of the process

Result<void> before_jail(const conf::Settings& settings) {
    table::configure(settings);
    TRY_ASSIGN(context, Context::make(settings));
    return {};
}

void serve(net::Stream& stream) {
    context->agent().serve(
        stream,
        [](delivery::Job& job) {
            server::Commit whole;  // a stop waits for the mailbox that is being written
            context->deliver(job);
        },
        server::retired);
}
}
