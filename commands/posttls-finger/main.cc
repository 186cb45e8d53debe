// posttls-finger: shows what TLS a server has, and whether it would pass at a security level. See posttls-finger(1). It
// looks at the server with the client's own code, and asks no daemon and no table.
//
// When things fail: what was found so far stands on standard output, with a line that says what went wrong; the exit
// status is 0 but for usage and configuration errors.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include "conf/params/commands.h"
#include "conf/params/smtp.h"
#include "dns/dns.h"
#include "log/log.h"
#include "probe.h"

namespace {
// Everything goes to standard output: the log is the result.
void show(maillog::Level, std::string_view, std::string_view text, void*) {
    fmt::print("posttls-finger: {}\n", text);
    std::fflush(stdout);
}
}

int main(int argc, char** argv) {
    ::signal(SIGPIPE, SIG_IGN);
    maillog::redirect(show, nullptr);
    if (const char* verbose = std::getenv("MAIL_VERBOSE"); verbose && *verbose)
        maillog::set_verbose(1);
    finger::Options options = finger::parse(argc, argv);
    const char* environment = std::getenv("MAIL_CONFIG");
    auto settings = conf::Settings::load(
        environment && *environment ? environment : std::string(param::config_directory.fallback), options.parameters);
    if (!settings)
        maillog::fatal("{}", settings.error().reason);
    if (options.level == tls::Level::dane || options.level == tls::Level::dane_only)
        static_cast<void>(dns::set_dnssec_probe((*settings)[param::dnssec_probe]));
    auto destination = finger::parse_destination(options, *settings);
    if (!destination)
        maillog::fatal("{}", destination.error().reason);
    std::vector<finger::Host> hosts;
    if (destination->path.empty()) {
        auto found = finger::find_hosts(options, *settings, *destination);
        if (!found) {
            maillog::info("{}", found.error().reason);
            return 0;
        }
        hosts = std::move(*found);
    }
    finger::Probe(options, *settings, std::move(*destination), std::move(hosts)).run();
    return 0;
}
