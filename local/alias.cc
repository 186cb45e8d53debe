// Aliases: the whole local part, then the name without its extension. A companion owner-NAME makes the alias a list:
// delivery problems go to it, and its members are forwarded to.
//
// When things fail: a table that does not answer defers; so does an alias that says nothing.
#include <sys/stat.h>
#include <fmt/format.h>
#include "base/bytes.h"
#include "conf/params/local.h"
#include "log/log.h"
#include "mail/address.h"
#include "recipient.h"
#include "table/table.h"

namespace local {
namespace {
// Whose the commands, files and lists of this table's aliases are: its file's owner's, at home there; absent, with
// default_privs, for root and for tables that are no files of ours.
Result<std::optional<User>> owner_of(const table::Table& table) {
    auto [type, path] = bytes::cut(table.name(), ':');
    if (!path || !path->starts_with('/'))
        return std::optional<User>();
    struct stat st {};
    std::string file(*path);
    if (auto suffix = table::file_suffix(type))
        file += *suffix;
    delivery::TakeRights root(delivery::root_rights);  // it was opened as root: its directory may be root's alone
    if (::stat(file.c_str(), &st) != 0)
        return system_error("cannot look at " + file, errno);
    if (st.st_uid == 0)
        return std::optional<User>();
    TRY_ASSIGN(std::optional<User> owner, delivery::find_user(st.st_uid));
    if (!owner)
        return temporary(fmt::format("cannot find alias database owner {} for {}", st.st_uid, table.name()));
    return owner;
}

// Keys are in external form ("foo bar" in quotes); databases of old ones in internal form.
Result<std::optional<table::Hit>> find_alias(const table::Maps& aliases, const std::string& name,
                                             table::Which which = table::Which::all) {
    std::string quoted = mail::to_external(name);
    TRY_ASSIGN(std::optional<table::Hit> hit, aliases.find_hit(quoted, which));
    if (hit || quoted == name)
        return hit;
    return aliases.find_hit(name, which);
}

// Makes the state one of a list's members when owner-NAME exists.
Result<void> take_owner(Work& work, State& state, const std::string& name) {
    const Context& context = work.context;
    if (!context.settings[param::owner_request_special])
        return {};
    std::string owner = "owner-" + name;
    TRY_ASSIGN(std::optional<table::Hit> hit, find_alias(context.aliases, owner));
    if (!hit) {
        if (context.settings[param::reset_owner_alias] && state.has_owner) {
            state.has_owner =
                false;  // its failures are the original sender's again; the mail keeps the owner as its sender
            state.subject.own_sender = false;
            state.subject.sender = work.job.request().sender;
        }
        return {};
    }
    if (context.settings[param::expand_owner_alias]) {
        auto members = parse_destinations(hit->value);
        if (!members.empty() && members[0].kind == Destination::Kind::address)
            owner = members[0].text;
    }
    TRY_ASSIGN(Resolved sender, resolve(work, state, mail::to_external(owner)));
    state.has_owner = true;
    state.sender = sender.address;
    state.subject.own_sender = true;
    state.subject.sender = sender.address;
    // A list is where the original sender's wishes end (RFC 3461, section 5.2.7).
    state.subject.original.clear();
    state.subject.orcpt.clear();
    state.subject.notify = 0;
    return {};
}

Disposition expand(Work& work, const State& from, const std::string& name, const table::Hit& hit, bool whole) {
    State state = from;
    auto owner = owner_of(*hit.from);
    if (!owner) {
        maillog::warning("{}: {}", work.job.id(), owner.error().reason);
        return failed(work, from, {4, 3, 0}, "alias database unavailable");
    }
    state.rights = work.context.default_rights;
    state.have_user = false;
    state.trusted = hit.from->trusted();
    state.source = Origin::alias;
    state.alias = name;
    state.forward_user.clear();
    state.home.clear();
    state.shell.clear();
    if (*owner)
        take_user(state, **owner);
    if (whole || !work.context.propagate.alias)
        state.unmatched.clear();
    if (auto taken = take_owner(work, state, name); !taken)
        return failed(work, from, {4, 3, 0}, "alias database unavailable");
    auto destinations = parse_destinations(hit.value);
    if (destinations.empty()) {
        maillog::warning("{}: alias {} names no destination", hit.from->name(), name);
        return failed(work, from, {4, 3, 0}, "alias database unavailable");
    }
    return deliver_destinations(work, state, destinations);
}
}

std::optional<Disposition> deliver_alias(Work& work, const State& state) {
    const table::Maps& aliases = work.context.aliases;
    for (bool whole : {true, false}) {
        const std::string& name = whole ? state.local : state.user;
        if (!whole && state.user == state.local)
            break;
        // An alias that names itself means the user of that name.
        if (state.source == Origin::alias && state.alias == name)
            continue;
        auto hit = find_alias(aliases, name, whole ? table::Which::all : table::Which::fixed);
        if (!hit) {
            maillog::warning("{}: alias {}: {}", work.job.id(), name, hit.error().reason);
            return failed(work, state, {4, 3, 0}, "alias database unavailable");
        }
        if (*hit)
            return expand(work, state, name, **hit, whole);
    }
    return std::nullopt;
}
}
