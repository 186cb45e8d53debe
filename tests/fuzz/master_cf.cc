// master.cf: entries, their columns and arguments.
#include "fuzz.h"
#include "conf/master_cf.h"

void fuzz::one(std::string_view bytes) {
    std::vector<std::string> warnings;
    auto entries = conf::parse_master_cf(bytes, "master.cf", &warnings);
    if (!entries) {
        fuzz::require(!entries.error().reason.empty(), "an error says what is wrong");
        return;
    }
    for (const auto& e : conf::effective(*entries)) {
        (void)e.service_type();
        (void)e.chrooted();
        (void)e.wakeup();
        (void)e.maxproc();
        (void)e.host();
        (void)e.port();
        if (e.service_type() != conf::ServiceType::inet)
            fuzz::require(e.socket_path().find("/../") == std::string::npos, "a socket lies below the queue",
                          e.socket_path());
        auto argv = e.argv();
        fuzz::require(argv.size() == e.args.size(), "each argument comes through");
        if (auto options = conf::service_options(argv))
            for (const auto& o : options->overrides)
                fuzz::require(!o.name.empty(), "an override has a name");
        // As postconf -M writes an entry, it reads back.
        std::string line = e.name + " " + e.type + " " + e.private_field + " " + e.unprivileged_field + " " +
                           e.chroot_field + " " + e.wakeup_field + " " + e.maxproc_field + " " + e.command;
        for (const auto& a : e.args)
            line += " " + a;
        auto again = conf::parse_master_line(line, "master.cf", 1);
        fuzz::require(again.has_value(), "an entry reads back", line);
        fuzz::require(again->args == e.args && again->argv() == argv, "an entry reads back with its arguments", line);
    }
}
