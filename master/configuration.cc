#include "configuration.h"
#include "conf/params/global.h"
#include "server/worker_protocol.h"

namespace master {
Result<ConfigurationPtr> read_configuration(const std::string& directory, int generation) {
    // What is odd in them `postfix start` and `postfix reload` have said.
    TRY_ASSIGN(conf::Settings settings, conf::Settings::load(directory, {{"process_name", "master"}}));
    TRY_ASSIGN(std::vector<conf::MasterEntry> entries, conf::read_master_cf(directory + "/master.cf"));
    std::vector<conf::MasterEntry> declared = entries;
    entries = conf::effective(entries);
    for (const conf::MasterEntry& e : entries) {
        Result<conf::ServiceOptions> options = conf::options_of(e);
        if (!options)
            return permanent(directory + "/master.cf, line " + std::to_string(e.line) + ": service " + e.name + ": " +
                             options.error().reason);
        Result<conf::Settings> own = settings.with(options->overrides);
        if (!own)
            return permanent(directory + "/master.cf, line " + std::to_string(e.line) + ": service " + e.name + ": " +
                             own.error().reason);
    }
    const std::string& off = settings[param::master_service_disable];
    std::erase_if(entries, [&](const conf::MasterEntry& e) { return conf::disabled(e, off); });
    TRY_ASSIGN(UniqueFd memory, server::worker::make_memory("settings", 0));
    TRY(write_all(memory.get(), settings.snapshot()));
    return std::make_shared<const Configuration>(
        Configuration{std::move(settings), std::move(entries), std::move(memory), generation, std::move(declared)});
}
}
