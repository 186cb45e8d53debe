// One recipient on its way through aliases, .forward files, :include: lists to mailboxes, files, commands and other
// addresses. State is what changes from level to level (a copy each), Work what all levels share. Every function that
// delivers says whether the recipient is done with as far as it is concerned, or has to be tried again; one deferred
// part defers the whole.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>
#include "context.h"
#include "delivery/job.h"
#include "destinations.h"

namespace local {
using delivery::Disposition;
using delivery::Rights;
using delivery::User;

enum class Origin : std::uint8_t { request, alias, forward, include, relay };  // relay: luser_relay

struct State {
    int level = 0;
    delivery::Subject subject;                   // in log and reports
    std::string sender;                          // envelope sender: changed by owner- aliases
    std::string delivered;                       // Delivered-To:
    std::string local, user, extension, domain;  // of subject.address, lower case; extension without delimiter
    char delimiter = 0;                          // that was found; else the first of recipient_delimiter, or 0
    std::string unmatched;                       // "+ext" to hand on to what an alias or .forward says
    bool has_owner = false;                      // below an alias that has an owner- alias: a list
    bool to_mailbox = false;                     // "\name"
    Origin source = Origin::request;
    std::string alias;         // the alias that is expanded
    std::string forward_user;  // whose .forward is expanded
    std::string home, shell;   // of the user, where there is one

    std::optional<Rights> rights;  // of the user, or of the alias file's owner: absent: none yet
    bool have_user = false;        // rights are a user's: the recipient's, or who owns the alias file or list
    bool trusted = true;           // commands and files may be named
};

// What follows is that user's: done with the rights, at home there.
inline void take_user(State& state, const User& user) {
    state.rights = user.rights;
    state.have_user = true;
    state.home = user.home;
    state.shell = user.shell;
}

// An address that mail is forwarded to as a new message; one message for each sender and Delivered-To.
struct Forward {
    std::string sender, delivered;
    std::vector<delivery::Subject> recipients;
};

struct Work {
    Context& context;
    delivery::Job& job;
    const std::set<std::string>& delivered_headers;  // addresses in Delivered-To: lines, folded
    std::set<std::string> seen{};                    // what was done already
    std::vector<Forward> forwards{};

    bool first_time(std::string key);  // false: done before
};

// The worse of two.
inline Disposition both(Disposition a, Disposition b) {
    return a == Disposition::deferred || b == Disposition::deferred ? Disposition::deferred : Disposition::done;
}

void deliver(Context& context, delivery::Job& job);
// recipient.cc
Disposition deliver_address(Work& work, State state);
Disposition deliver_destinations(Work& work, const State& state, const std::vector<Destination>& destinations);
// alias.cc: absent where there is no such alias.
std::optional<Disposition> deliver_alias(Work& work, const State& state);
// dotforward.cc: absent where there is none that counts.
std::optional<Disposition> deliver_dotforward(Work& work, const State& state);
Disposition deliver_include(Work& work, State state, const std::string& path);
// mailbox.cc
Disposition deliver_mailbox(Work& work, State state);
Disposition deliver_unknown(Work& work, State state);
// file.cc, command.cc
// name: an absolute path, or "~/…" for one in state.home.
Disposition deliver_file(Work& work, const State& state, const std::string& name);
Disposition deliver_user_mailbox(Work& work, const State& state, const User& user, const std::string& path, bool spool);
Disposition deliver_command(Work& work, const State& state, const std::string& command);
// forward.cc
Disposition forward_later(Work& work, const State& state);
Disposition send_forwards(Work& work, const delivery::Subject& subject);
// resolve.cc: an address of an alias in internal form, and whether it is ours to deliver.
struct Resolved {
    std::string address;
    bool ours;
};
Result<Resolved> resolve(Work& work, const State& state, const std::string& external);
// names.cc: expands $user, $home … in forward_path, luser_relay and command_execution_directory; filter: characters
// that stay as they are. In a path, a value with '/' in it (but $home and $shell) counts as empty, as do "." and "..".
enum class Into : std::uint8_t { address, path };
std::string expand_names(const Work& work, const State& state, std::string_view text, std::string_view filter,
                         Into into);
delivery::Environment command_environment(const Work& work, const State& state);
// The lines in front of a delivered message.
delivery::CopyOptions copy_options(const Work& work, const State& state, bool delivered_to);

// Reports for state.subject with relay=local.
Disposition sent(Work& work, const State& state, std::string text);
Disposition failed(Work& work, const State& state, EnhancedStatus status, std::string text);
inline Disposition failed(Work& work, const State& state, const Error& error) {
    return failed(work, state, error.status, error.reason);
}
}
