// See recipient.h: the way of one address, from the request down through its expansions.
//
// When things fail: loops end at a depth of 100, or at a Delivered-To: line with the same address; both bounce (5.4.6).
#include "recipient.h"

#include <fmt/format.h>
#include "base/bytes.h"
#include "conf/params/cleanup.h"
#include "conf/params/local.h"
#include "delivery/delivered_to.h"
#include "log/log.h"
#include "mail/address.h"
#include "server/server.h"

namespace local {
namespace {
constexpr int level_max = 101;

// The extension is the sender's choice, and becomes part of file names (forward_path) and of commands: one with '/' in
// it is none.
void split_subject(const Work& work, State& state) {
    const Context& context = work.context;
    mail::AddressParts parts = mail::split_address(state.subject.address);
    state.local = mail::fold_case(parts.local);
    state.domain = parts.domain ? mail::fold_case(*parts.domain) : "";
    mail::ExtensionSplit split = mail::split_extension(state.local, context.extension);
    std::string user(split.user);
    state.extension = split.extension ? std::string(*split.extension) : "";
    state.delimiter = split.extension                        ? split.delimiter
                      : context.extension.delimiters.empty() ? '\0'
                                                             : context.extension.delimiters[0];
    state.unmatched = split.extension ? std::string(1, split.delimiter) + state.extension : "";
    state.user = std::move(user);
    if (state.extension.find('/') == std::string::npos)
        return;
    maillog::warning("{}: address with illegal extension: {}", work.job.id(), state.local);
    state.extension.clear();
    state.unmatched.clear();
    state.local = state.user;
}

// "\\name" of an alias or a .forward, "\name" as an address: the mailbox of that name, past aliases and .forward.
void take_backslash(State& state) {
    if (!state.subject.address.starts_with('\\'))
        return;
    state.subject.address.erase(0, 1);
    state.to_mailbox = true;
}

// What is no alias in lists, .forward files and :include: lists becomes a message of its own, with a status for each
// recipient; but a user's own name in that user's .forward means the mailbox.
bool wants_forward(const State& state) {
    if (state.level <= 1 || state.to_mailbox)
        return false;
    if (!state.forward_user.empty() && state.user == state.forward_user)
        return false;
    return state.has_owner || state.source == Origin::forward || state.source == Origin::include;
}

Disposition deliver_plain(Work& work, const State& state, const Destination& destination) {
    const Contexts& allowed =
        destination.kind == Destination::Kind::command ? work.context.commands_allowed : work.context.files_allowed;
    bool may = state.trusted && (state.source == Origin::alias     ? allowed.alias
                                 : state.source == Origin::forward ? allowed.forward
                                 : state.source == Origin::include ? allowed.include
                                                                   : false);
    if (destination.kind == Destination::Kind::command)
        return may ? deliver_command(work, state, destination.text)
                   : failed(work, state, {5, 7, 1}, "mail to command is restricted");
    return may ? deliver_file(work, state, destination.text)
               : failed(work, state, {5, 7, 1}, "mail to file is restricted");
}

Disposition deliver_member(Work& work, const State& state, const Destination& destination) {
    auto resolved = resolve(work, state, destination.text);
    if (!resolved)
        return failed(work, state, resolved.error());
    State member = state;
    member.subject.address = resolved->address;
    member.subject.offset = 0;
    if (resolved->ours)
        return deliver_address(work, std::move(member));
    return forward_later(work, member);
}
}

bool Work::first_time(std::string key) {
    if (seen.contains(key))
        return false;
    if (context.seen_max == 0 || seen.size() < context.seen_max)
        seen.insert(std::move(key));
    return true;
}

Disposition sent(Work& work, const State& state, std::string text) {
    return work.job.report_delivered(state.subject,
                                     {.relay = server::service_name(), .status = {2, 0, 0}, .text = std::move(text)});
}

Disposition failed(Work& work, const State& state, EnhancedStatus status, std::string text) {
    return work.job.report_failed(state.subject,
                                  {.relay = server::service_name(), .status = status, .text = std::move(text)});
}

Disposition deliver_address(Work& work, State state) {
    ++state.level;
    state.to_mailbox = false;
    take_backslash(state);
    split_subject(work, state);
    if (state.level > level_max) {
        maillog::warning("alias database loop for {}", state.local);
        return failed(work, state, {5, 4, 6}, "alias database loop for " + state.local);
    }
    if (work.delivered_headers.contains(mail::fold_case(state.subject.address)))
        return failed(work, state, {5, 4, 6}, "mail forwarding loop for " + state.subject.address);
    std::string above = state.delivered;
    if (above.empty() || !work.context.settings[param::frozen_delivered_to])
        state.delivered = state.subject.address;
    if (!state.to_mailbox)
        if (auto done = deliver_alias(work, state))
            return *done;
    if (wants_forward(state)) {
        state.delivered = std::move(above);  // not this address, which that message has still before it
        return forward_later(work, state);
    }
    if (!state.to_mailbox)
        if (auto done = deliver_dotforward(work, state))
            return *done;
    return deliver_mailbox(work, std::move(state));
}

Disposition deliver_destinations(Work& work, const State& state, const std::vector<Destination>& destinations) {
    Disposition all = Disposition::done;
    for (const Destination& destination : destinations) {
        switch (destination.kind) {
        case Destination::Kind::address: all = both(all, deliver_member(work, state, destination)); break;
        case Destination::Kind::include: all = both(all, deliver_include(work, state, destination.text)); break;
        case Destination::Kind::command:
        case Destination::Kind::file: all = both(all, deliver_plain(work, state, destination)); break;
        }
    }
    return all;
}

void deliver(Context& context, delivery::Job& job) {
    const std::set<std::string> delivered_headers = delivery::delivered_addresses(job);
    for (delivery::JobRecipient& recipient : job.recipients()) {
        Work work{context, job, delivered_headers};
        State state;
        state.subject = recipient;
        state.sender = job.request().sender;
        Disposition all = deliver_address(work, std::move(state));
        // What was deferred is tried again as a whole: nothing is forwarded until everything else has worked.
        if (all == Disposition::done)
            all = send_forwards(work, recipient);
        job.settle(recipient, all);
    }
}
}
