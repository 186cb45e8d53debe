// What the local delivery agent keeps for all requests: settings read once, tables, connections to other services.
//
// When things fail: tables that cannot be opened fail each lookup (mail is deferred); a lock method or default_privs
// that make no sense stop the process before it serves.
#pragma once
#include <map>
#include <optional>
#include <string>
#include "conf/settings.h"
#include "delivery/agent.h"
#include "delivery/command.h"
#include "delivery/mailbox.h"
#include "ipc/trivial_rewrite.h"
#include "mail/address.h"
#include "table/maps.h"

namespace local {
// Which contexts a list parameter names ("alias, forward", "command, file, forward").
struct Contexts {
    bool alias = false, forward = false, include = false, command = false, file = false;
};

struct Context {
    static Result<Context*> make(const conf::Settings& settings);
    explicit Context(const conf::Settings& s);
    delivery::Agent agent;
    conf::Settings settings;
    table::Maps aliases, mailbox_transport_maps, mailbox_command_maps, fallback_transport_maps;
    ipc::Client cleanup;
    ipc::TrivialRewrite rewrite;
    delivery::LockRules locks;
    delivery::Rights default_rights;  // default_privs
    mail::ExtensionRules extension;
    Contexts commands_allowed, files_allowed, propagate, prepend_delivered;
    delivery::Environment environment;
    std::size_t seen_max;  // duplicate_filter_limit

    ipc::Client& transport(const std::string& name);  // private/NAME, for mailbox_transport and fallback_transport

private:
    std::map<std::string, ipc::Client> transports_;
};

Result<void> before_jail(const conf::Settings& settings);
void serve(net::Stream& stream);
Contexts parse_contexts(std::string_view list);
}
