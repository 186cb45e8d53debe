// Where mail for a user goes when neither an alias nor a .forward says otherwise: another transport, a command, a file
// in the home directory, the spool directory; and what becomes of mail for names that nobody has.
//
// When things fail: a table that does not answer defers, as does a user database that does not.
#include <fmt/format.h>
#include "base/bytes.h"
#include "conf/params/global.h"
#include "conf/params/local.h"
#include "conf/params/cleanup.h"
#include "log/log.h"
#include "recipient.h"

namespace local {
namespace {
// By the whole local part, then by the user.
Result<std::optional<std::string>> find_for(const table::Maps& maps, const State& state) {
    if (maps.empty())
        return std::optional<std::string>();
    TRY_ASSIGN(std::optional<std::string> found, maps.find(state.local));
    if (found || state.user == state.local)
        return found;
    return maps.find(state.user, table::Which::fixed);
}

Disposition table_failed(Work& work, const State& state, const Error& error) {
    maillog::warning("{}: {}", work.job.id(), error.reason);
    return failed(work, state, {4, 3, 0}, "table lookup failure");
}

// Hands the recipient to another delivery agent, which writes the log line and the reports.
Disposition pass(Work& work, const State& state, std::string_view transport_and_nexthop) {
    auto [transport, rest] = bytes::cut(transport_and_nexthop, ':');
    std::string nexthop(rest ? bytes::trim(*rest) : std::string_view());
    std::string name(bytes::trim(transport));
    if (name.empty() || name.find('/') != name.npos) {
        maillog::warning("{}: bad transport \"{}\"", work.job.id(), transport_and_nexthop);
        return failed(work, state, {4, 3, 5}, "mail system configuration error");
    }
    ipc::DeliveryRequest request = work.job.request();
    request.nexthop = nexthop.empty() ? work.context.settings[param::myhostname] : nexthop;
    request.sender = state.sender;
    request.recipients.clear();
    request.recipients.push_back({.offset = 0,
                                  .address = state.subject.address,
                                  .original = state.subject.original,
                                  .orcpt = state.subject.orcpt,
                                  .notify = state.subject.notify});
    maillog::info("{}: passing <{}> to transport={}", work.job.id(), state.subject.address, name);
    auto reply = work.context.transport(name).ask<ipc::DeliveryReply>(request);
    if (!reply) {
        maillog::warning("{}: {}", work.job.id(), reply.error().reason);
        return failed(work, state, {4, 3, 0}, "mail transport unavailable");
    }
    return reply->deferred ? Disposition::deferred : Disposition::done;
}

// mailbox_transport_maps, mailbox_transport and the fallback pair: absent where none is set for this recipient.
std::optional<Disposition> pass_by(Work& work, const State& state, const table::Maps& maps,
                                   const std::string& otherwise) {
    auto found = find_for(maps, state);
    if (!found)
        return table_failed(work, state, found.error());
    std::string_view to = *found ? std::string_view(**found) : std::string_view(otherwise);
    if (bytes::trim(to).empty())
        return std::nullopt;
    return pass(work, state, to);
}

Disposition deliver_to_user(Work& work, State state, const User& user) {
    const conf::Settings& settings = work.context.settings;
    auto command = find_for(work.context.mailbox_command_maps, state);
    if (!command)
        return table_failed(work, state, command.error());
    take_user(state, user);
    const std::string& line = *command ? **command : settings[param::mailbox_command];
    if (!bytes::trim(line).empty())
        return deliver_command(work, state, line);
    const std::string& home_mailbox = settings[param::home_mailbox];
    if (!home_mailbox.empty())
        return deliver_user_mailbox(work, state, user, user.home + "/" + home_mailbox, false);
    const std::string& spool = settings[param::mail_spool_directory];
    bool maildir = spool.ends_with('/');
    return deliver_user_mailbox(work, state, user, spool + (maildir ? user.name + "/" : "/" + user.name), !maildir);
}
}

Disposition deliver_mailbox(Work& work, State state) {
    const conf::Settings& settings = work.context.settings;
    if (!work.first_time("mailbox " + state.local))
        return Disposition::done;
    if (auto passed = pass_by(work, state, work.context.mailbox_transport_maps, settings[param::mailbox_transport]))
        return *passed;
    auto user = delivery::find_user(state.user);
    if (!user) {
        maillog::warning("{}: {}: {}", work.job.id(), state.user, user.error().reason);
        return failed(work, state, {4, 3, 0}, "user lookup error");
    }
    if (!*user)
        return deliver_unknown(work, std::move(state));
    return deliver_to_user(work, std::move(state), **user);
}

Disposition deliver_unknown(Work& work, State state) {
    const conf::Settings& settings = work.context.settings;
    if (auto passed = pass_by(work, state, work.context.fallback_transport_maps, settings[param::fallback_transport]))
        return *passed;
    if (bytes::iequals(state.user, settings[param::double_bounce_sender])) {
        maillog::warning("{}: undeliverable postmaster notification discarded", work.job.id());
        return sent(work, state, "undeliverable postmaster notification discarded");
    }
    const std::string& relay = settings[param::luser_relay];
    if (!bytes::trim(relay).empty() && state.source != Origin::relay) {
        std::string to = expand_names(work, state, relay, settings[param::forward_expansion_filter], Into::address);
        std::vector<Destination> destinations;
        if (!to.empty())
            destinations.push_back({Destination::Kind::address, to});
        state.source = Origin::relay;
        state.unmatched.clear();
        state.forward_user.clear();
        if (!destinations.empty())
            return deliver_destinations(work, state, destinations);
    }
    // Aliases that every host is to have: bounced, reports of trouble would make more of them.
    for (std::string_view required : {"postmaster", "mailer-daemon"}) {
        if (!bytes::iequals(state.user, required))
            continue;
        maillog::warning("required alias not found: {}", required);
        return sent(work, state, "discarded");
    }
    return failed(work, state, {5, 1, 1}, "unknown user: \"" + state.user + "\"");
}
}
