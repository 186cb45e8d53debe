// Commands of aliases, .forward files and mailbox_command.
#include <fmt/format.h>
#include <algorithm>
#include "conf/params/local.h"
#include "delivery/command.h"
#include "log/log.h"
#include "server/server.h"
#include "recipient.h"

namespace local {
Disposition deliver_command(Work& work, const State& state, const std::string& line) {
    const conf::Settings& settings = work.context.settings;
    delivery::Command command;
    // Root's mail is handled with nobody's rights: what a message makes a command do is the sender's choice in part.
    command.rights = state.rights && state.rights->uid != 0 ? *state.rights : work.context.default_rights;
    if (!work.first_time(fmt::format("command {} {}", command.rights.uid, line)))
        return Disposition::done;
    if (work.job.probe())
        return sent(work, state, "delivers to command: " + line);
    command.line = line;
    command.shell = settings[param::local_command_shell];
    command.environment = command_environment(work, state);
    command.file_size_limit = settings[param::mailbox_size_limit];
    command.patience = delivery::ForkPatience(settings);
    command.time_limit = settings[param::command_time_limit];
    const std::string& directory = settings[param::command_execution_directory];
    if (!directory.empty())
        command.directory =
            expand_names(work, state, directory, settings[param::execution_directory_expansion_filter], Into::path);
    delivery::CopyOptions options = copy_options(work, state, work.context.prepend_delivered.command);
    options.from_line = true;
    auto end = delivery::run_command(command, [&](const delivery::Sink& sink) -> Result<void> {
        TRY(delivery::copy_message(work.job, options, sink));
        return {};
    });
    if (!end)
        return failed(work, state, {4, 3, 0}, end.error().reason);
    std::string shown = line;  // in a reply's text a tab is a blank
    std::replace(shown.begin(), shown.end(), '\t', ' ');
    delivery::CommandResult result = delivery::explain(*end, shown);
    if (result.status.success())
        return sent(work, state, "delivered to command: " + shown);
    return work.job.report_failed(state.subject, {.relay = server::service_name(),
                                                  .status = result.status,
                                                  .text = result.text,
                                                  .diagnostic_type = "x-unix",
                                                  .diagnostic_text = result.text});
}
}
