// The names that a recipient gives to forward_path, luser_relay and command_execution_directory, and to a command's
// environment.
#include "base/bytes.h"
#include "conf/expand.h"
#include "conf/params/cleanup.h"
#include "conf/params/local.h"
#include "log/log.h"
#include "recipient.h"

namespace local {
namespace {
// What a sender may choose climbs out of no directory.
std::string in_path(const std::string& value) {
    return value.find('/') != value.npos || value == "." || value == ".." ? "" : value;
}
}

std::string expand_names(const Work& work, const State& state, std::string_view text, std::string_view filter,
                         Into into) {
    const std::string delimiter = state.delimiter ? std::string(1, state.delimiter) : std::string();
    std::map<std::string, std::string, std::less<>> names{
        {"user", state.user},           {"home", state.home},
        {"shell", state.shell},         {"recipient", state.subject.address},
        {"extension", state.extension}, {"domain", state.domain},
        {"local", state.local},         {"recipient_delimiter", delimiter}};
    if (into == Into::path)
        for (auto& [name, value] : names)
            if (name != "home" && name != "shell")
                value = in_path(value);
    if (!filter.empty())
        for (auto& [name, value] : names)
            value = delivery::filtered_text(value, filter);
    auto expanded = conf::expand(text, [&](std::string_view name) -> std::optional<conf::Found> {
        if (auto found = names.find(name); found != names.end()) {
            if (found->second.empty())
                return std::nullopt;
            return conf::Found{found->second, true};
        }
        maillog::warning("unknown name \"{}\" in \"{}\"", name, text);
        return std::nullopt;
    });
    if (expanded)
        return *expanded;
    maillog::warning("{}: cannot expand \"{}\": {}", work.job.id(), text, expanded.error().reason);
    return "";
}

delivery::Environment command_environment(const Work& work, const State& state) {
    const ipc::DeliveryRequest& request = work.job.request();
    delivery::Environment out = work.context.environment;
    const std::string& allowed = work.context.settings[param::command_expansion_filter];
    auto add = [&](const char* name, std::string_view value) {
        if (!value.empty())
            out.emplace_back(name, delivery::filtered_text(value, allowed));
    };
    add("SHELL", state.shell);
    add("HOME", state.home);
    add("USER", state.user);
    add("EXTENSION", state.extension);
    add("DOMAIN", state.domain);
    add("LOGNAME", state.user);
    add("LOCAL", state.local);
    add("ORIGINAL_RECIPIENT", state.subject.original);
    add("RECIPIENT", state.subject.address);
    add("SENDER", state.sender.empty() ? "MAILER-DAEMON" : state.sender);
    add("ENVID", request.envid);
    add("CLIENT_ADDRESS", request.log_client_address);
    add("CLIENT_HELO", request.log_helo_name);
    add("CLIENT_HOSTNAME", request.log_client_name);
    add("CLIENT_PROTOCOL", request.log_protocol_name);
    add("SASL_METHOD", request.sasl_method);
    add("SASL_SENDER", request.sasl_sender);
    add("SASL_USERNAME", request.sasl_username);
    return out;
}

delivery::CopyOptions copy_options(const Work& work, const State& state, bool delivered_to) {
    delivery::CopyOptions options;
    options.return_path = true;
    options.original_to = work.context.settings[param::enable_original_recipient];
    options.delivered_to = delivered_to;
    options.sender = state.sender;
    options.original = state.subject.original;
    options.delivered = state.delivered;
    return options;
}
}
