// See context.h.
#include "context.h"

#include "base/bytes.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/local.h"
#include "log/log.h"
#include "recipient.h"
#include "server/server.h"

namespace local {
namespace {
// Values decide users, files and commands: no pattern may put the sender's words there.
table::Maps maps(const conf::Settings& settings, const conf::Text& parameter) {
    table::OpenOptions options;
    options.refuse_substitution = true;
    return table::Maps::open(parameter.name, settings[parameter], options);
}

mail::ExtensionRules extension_rules(const conf::Settings& settings) {
    return {.delimiters = settings[param::recipient_delimiter],
            .double_bounce_sender = settings[param::double_bounce_sender],
            .owner_request_special = settings[param::owner_request_special]};
}

Context* context = nullptr;  // for the life of the process
}

Contexts parse_contexts(std::string_view list) {
    Contexts out;
    for (std::string_view word : bytes::split(list, ", \t\r\n")) {
        out.alias = out.alias || bytes::iequals(word, "alias");
        out.forward = out.forward || bytes::iequals(word, "forward");
        out.include = out.include || bytes::iequals(word, "include");
        out.command = out.command || bytes::iequals(word, "command");
        out.file = out.file || bytes::iequals(word, "file");
    }
    return out;
}

Context::Context(const conf::Settings& s)
    : agent(s, s[param::local_delivery_status_filter]),
      settings(s),
      aliases(maps(s, param::alias_maps)),
      mailbox_transport_maps(maps(s, param::mailbox_transport_maps)),
      mailbox_command_maps(maps(s, param::mailbox_command_maps)),
      fallback_transport_maps(maps(s, param::fallback_transport_maps)),
      cleanup("public/" + s[param::cleanup_service_name], s),
      rewrite(s),
      extension(extension_rules(settings)),
      commands_allowed(parse_contexts(s[param::allow_mail_to_commands])),
      files_allowed(parse_contexts(s[param::allow_mail_to_files])),
      propagate(parse_contexts(s[param::propagate_unmatched_extensions])),
      prepend_delivered(parse_contexts(s[param::prepend_delivered_header])),
      environment(delivery::exported_environment(s)),
      seen_max(static_cast<std::size_t>(s[param::duplicate_filter_limit])) {}

Result<Context*> Context::make(const conf::Settings& settings) {
    auto made = std::make_unique<Context>(settings);
    TRY_ASSIGN(made->locks, delivery::lock_rules(settings, settings[param::mailbox_delivery_lock]));
    if (settings[param::sun_mailtool_compatibility])
        made->locks.dotlock = true, made->locks.fcntl = made->locks.flock = false;
    const std::string& name = settings[param::default_privs];
    TRY_ASSIGN(std::optional<User> user, delivery::find_user(name));
    if (!user)
        return permanent("default_privs: unknown user " + name);
    TRY_ASSIGN(std::optional<User> owner, delivery::find_user(settings[param::mail_owner]));
    if (user->rights.uid == 0)
        return permanent("default_privs: " + name + " has root's rights");
    if (owner && user->rights.uid == owner->rights.uid)
        return permanent("default_privs: " + name + " owns the mail system");
    made->default_rights = user->rights;
    std::int64_t mailbox = settings[param::mailbox_size_limit], message = settings[param::message_size_limit];
    if (mailbox > 0 && (message == 0 || mailbox < message))
        return permanent("main.cf configuration error: mailbox_size_limit is smaller than message_size_limit");
    return made.release();
}

ipc::Client& Context::transport(const std::string& name) {
    auto found = transports_.find(name);
    if (found == transports_.end())
        found = transports_.emplace(name, ipc::Client("private/" + name, settings)).first;
    return found->second;
}

Result<void> before_jail(const conf::Settings& settings) {
    table::configure(settings);
    TRY_ASSIGN(context, Context::make(settings));
    return {};
}

void serve(net::Stream& stream) {
    context->agent.serve(
        stream,
        [](delivery::Job& job) {
            server::Commit whole;  // a stop waits for the mailbox that is being written
            deliver(*context, job);
        },
        server::retired);
}
}
