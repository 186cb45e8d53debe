// See agent.h.
#include "agent.h"

#include <fmt/format.h>
#include "base/bytes.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/local.h"
#include "delivery/agent.h"
#include "delivery/command.h"
#include "delivery/delivered_to.h"
#include "log/log.h"
#include "macros.h"
#include "server/server.h"
#include "table/table.h"

namespace pipe_agent {
namespace {
struct Context {
    explicit Context(const conf::Settings& s)
        : settings(s),
          agent(s, s[param::pipe_delivery_status_filter]),
          environment(delivery::exported_environment(s)) {}
    conf::Settings settings;
    delivery::Agent agent;
    delivery::Environment environment;
    Attributes attributes{};
    mail::ExtensionRules extension{};
    std::chrono::seconds time_limit{1000};
    delivery::ForkPatience patience{};
};
Context* context = nullptr;  // for the life of the process

void all(delivery::Job& job, const std::string& relay, EnhancedStatus status, const std::string& text) {
    job.fail_rest({.relay = relay, .status = status, .text = text});
}

// What stops a delivery before the command is run; true: it is settled.
bool objections(delivery::Job& job, const std::string& relay) {
    const Attributes& a = context->attributes;
    if ((a.delivered_to || a.original_to) && job.recipients().size() > 1) {
        maillog::warning("pipe flag `{}' requires {}_destination_recipient_limit = 1", a.delivered_to ? 'D' : 'O',
                         relay);
        all(job, relay, {4, 3, 5}, "mail system configuration error");
        return true;
    }
    if (a.size_limit > 0 && job.request().data_size > a.size_limit) {
        all(job, relay, {5, 2, 3}, "message too large");
        return true;
    }
    if (!a.delivered_to)
        return false;
    delivery::JobRecipient& recipient = job.recipients()[0];
    if (!delivery::delivered_addresses(job).contains(mail::fold_case(recipient.address)))
        return false;
    all(job, relay, {5, 4, 6}, "mail forwarding loop for " + recipient.address);
    return true;
}

delivery::CopyOptions copy_options(const delivery::Job& job, const delivery::JobRecipient& first) {
    const Attributes& a = context->attributes;
    delivery::CopyOptions options;
    options.from_line = a.from_line;
    options.return_path = a.return_path;
    options.original_to = a.original_to && context->settings[param::enable_original_recipient];
    options.delivered_to = a.delivered_to;
    options.quote_from = a.quote_from;
    options.quote_dot = a.quote_dot;
    options.blank_line = a.blank_line;
    options.end_of_line = a.end_of_line;
    options.sender = job.request().sender.empty() ? a.null_sender : job.request().sender;
    options.original = first.original;
    options.delivered = first.address;
    return options;
}

void deliver(delivery::Job& job) {
    const Attributes& a = context->attributes;
    const std::string& relay = server::service_name();
    if (job.recipients().empty() || objections(job, relay))
        return;
    delivery::Command command;
    auto arguments = expand_arguments(a, job.request(), job.recipients(), context->extension);
    if (!arguments) {
        maillog::warning("service {}: {}", relay, arguments.error().reason);
        return all(job, relay, {4, 3, 5}, "mail system configuration error");
    }
    command.arguments = std::move(*arguments);
    if (job.probe()) {
        for (delivery::JobRecipient& r : job.recipients())
            job.delivered(r, {.relay = relay, .text = "delivers to command: " + command.arguments[0]});
        return;
    }
    command.rights = a.rights;
    command.environment = context->environment;
    command.directory = a.directory;
    command.chroot = a.chroot;
    command.patience = context->patience;
    command.time_limit = context->time_limit;
    command.speaker = "pipe: fatal: pipe_command";
    const delivery::CopyOptions options = copy_options(job, job.recipients()[0]);
    auto end = delivery::run_command(command, [&](const delivery::Sink& sink) -> Result<void> {
        TRY(delivery::copy_message(job, options, sink));
        return {};
    });
    if (!end)
        return all(job, relay, {4, 3, 0}, end.error().reason);
    delivery::CommandResult result = delivery::explain(*end, command.arguments[0]);
    if (!result.status.success())
        return job.fail_rest({.relay = relay,
                              .status = result.status,
                              .text = result.text,
                              .diagnostic_type = "x-unix",
                              .diagnostic_text = result.text});
    std::string_view output = bytes::trim(end->output);
    std::string text = fmt::format("delivered via {} service", relay);
    if (!output.empty())
        text += fmt::format(" ({})", output);
    for (delivery::JobRecipient& r : job.recipients())
        job.delivered(r, {.relay = relay, .text = text, .action = a.final_delivery ? "delivered" : "relayed"});
}
}

Result<void> before_jail(const conf::Settings& settings) {
    table::configure(settings);
    auto made = std::make_unique<Context>(settings);
    TRY_ASSIGN(made->attributes, parse_attributes(server::arguments()));
    TRY(find_rights(made->attributes, settings[param::mail_owner]));
    made->extension = {.delimiters = settings[param::recipient_delimiter],
                       .double_bounce_sender = settings[param::double_bounce_sender],
                       .owner_request_special = settings[param::owner_request_special]};
    made->patience = delivery::ForkPatience(settings);
    made->time_limit = settings.of(param::transport_time_limit, server::service_name());
    context = made.release();
    return {};
}

void serve(net::Stream& stream) { context->agent.serve(stream, deliver, server::retired); }
}
