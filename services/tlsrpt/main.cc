// tlsrpt: collects what smtp tells of its sessions (smtp_tlsrpt_socket_name = private/tlsrpt), and sends the domains
// that ask for it a report a day on the TLS of theirs (RFC 8460). One process, which runs only where master.cf has it.
//
// When things fail: see service.h. Mail never waits for this service.
#include <curl/curl.h>
#include <memory>
#include "dns/dns.h"
#include "server/server.h"
#include "reporter.h"

namespace {
std::unique_ptr<tlsrpt::Reporter> service;

Result<void> prepare(const conf::Settings& settings) {
    dns::open();
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return permanent("cannot start the HTTP library");
    TRY_ASSIGN(service, tlsrpt::Reporter::create(settings));
    return {};
}
}

int main(int argc, char** argv) {
    return server::run({.name = "tlsrpt",
                        .needs = server::need::files_write | server::need::network,
                        .holds_keys = true,
                        .bound = server::Bound::processes,
                        .one_process = true,
                        .before_jail = prepare,
                        .datagram = [](std::string_view data) { service->take(data); },
                        .background = [] { service->run(); }},
                       argc, argv);
}
