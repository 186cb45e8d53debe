// smtp and lmtp: the client, one program; run under the name lmtp it speaks LMTP and reads lmtp_* parameters. Serves
// many delivery requests from qmgr at once (private/smtp, private/relay, private/lmtp …), a fiber each. delivery.h
// tells the story of one.
//
// When things fail: a bad parameter is fatal at start; what concerns one message ends in that message's dispositions.
#include <fmt/format.h>
#include <algorithm>
#include <memory>
#include <string_view>
#include "base/bytes.h"
#include "config.h"
#include "conf/params/lmtp.h"
#include "conf/params/smtp.h"
#include "delivery.h"
#include "delivery/agent.h"
#include "dns/dns.h"
#include "kept.h"
#include "log/log.h"
#include "net/window.h"
#include "server/server.h"

namespace {
bool lmtp = false;
smtp::Flags flags;
std::unique_ptr<smtp::Config> config;
std::unique_ptr<smtp::Kept> kept;
std::unique_ptr<delivery::Agent> agent;

// "flags=DORX" in master.cf. Anything else is fatal: it may be what is left of a value with white space.
Result<void> take_flags() {
    for (const std::string& word : server::arguments()) {
        if (!word.starts_with("flags="))
            return permanent(fmt::format("unknown attribute name: {}", bytes::printable(word)));
        std::string_view letters = std::string_view(word).substr(6);
        if (letters.find_first_not_of("DORX") != letters.npos)
            return permanent(fmt::format("unknown letters in \"{}\": D, O, R and X are known", bytes::printable(word)));
        flags.delivered_to |= letters.find('D') != letters.npos;
        flags.original_to |= letters.find('O') != letters.npos;
        flags.return_path |= letters.find('R') != letters.npos;
        flags.final_delivery |= letters.find('X') != letters.npos;
    }
    return {};
}
// DNSSEC is the resolver's work: its word is taken, so it should be near, and it should validate.
Result<void> trust_resolver(const conf::Settings& settings) {
    if (config->dns_level != smtp::DnsLevel::dnssec)
        return {};
    auto distant = dns::distant_servers();
    if (!distant.empty())
        maillog::warning("smtp_dns_support_level = dnssec: name server {} is not on this host: whoever is on the way "
                         "to it can forge its answers",
                         fmt::join(distant, ", "));
    return dns::set_dnssec_probe(settings[param::dnssec_probe]);
}

Result<void> prepare(const conf::Settings& settings) {
    TRY(take_flags());
    dns::open();
    TRY_ASSIGN(config, smtp::Config::load(settings, lmtp));
    TRY(trust_resolver(settings));
    net::set_window_size(static_cast<int>(settings[param::tcp_windowsize]));
    kept = std::make_unique<smtp::Kept>(config->cache_time);
    agent = std::make_unique<delivery::Agent>(settings, lmtp ? settings[param::lmtp_delivery_status_filter]
                                                             : settings[param::smtp_delivery_status_filter]);
    if (!config->dns_reply_filter.empty())
        dns::set_reply_filter([](const dns::Record& record) {
            auto hit = config->dns_reply_filter.find(record.text());
            return !(hit && *hit && **hit == "IGNORE");
        });
    server::opened_tls_files(settings, lmtp ? "lmtp" : "smtp");
    if (!config->tls_problem.empty()) {  // the generation that delivers has a certificate that is good
        if (server::successor())
            return permanent(config->tls_problem);
        maillog::warning("{}", tls::disabling_text(config->tls_problem));
    }
    return {};
}

void serve(server::Connection& session) {
    agent->serve(
        session.stream, [](delivery::Job& job) { smtp::Delivery(*config, *kept, flags, job).run(); }, server::retired);
}

}

int main(int argc, char** argv) {
    std::string_view name = argv[0];
    name.remove_prefix(std::min(name.size(), name.rfind('/') + 1));
    lmtp = name == "lmtp";
    return server::run({.name = lmtp ? "lmtp" : "smtp",
                        .needs = server::need::tables | server::need::files_mark,
                        .takes_words = true,
                        .holds_keys = true,
                        .may_ask = delivery::Agent::may_ask,
                        .before_jail = prepare,
                        .after_jail = [](const conf::Settings&) -> Result<void> {
                            if (config->sessions)
                                config->sessions->seed();
                            return {};
                        },
                        .serve = serve,
                        .background = [] { kept->keep_house(); }},
                       argc, argv);
}
