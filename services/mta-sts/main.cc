// mta-sts: knows the MTA-STS policies (RFC 8461) of the domains that mail goes to, for smtp with smtp_tls_mta_sts. One
// process; it fetches over HTTPS, and keeps what it fetched in a file of its own (ipc/mta_sts.h, service.h).
//
// When things fail: see service.h. Without this service mail goes as without MTA-STS.
#include <curl/curl.h>
#include <memory>
#include "dns/dns.h"
#include "server/server.h"
#include "policy_server.h"

namespace {
std::unique_ptr<mta_sts::PolicyServer> service;

Result<void> prepare(const conf::Settings& settings) {
    dns::open();
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return permanent("cannot start the HTTP library");
    TRY_ASSIGN(service, mta_sts::PolicyServer::create(settings));
    return {};
}
}

int main(int argc, char** argv) {
    return server::run({.name = "mta-sts",
                        .needs = server::need::files_write | server::need::network,
                        .bound = server::Bound::processes,
                        .one_process = true,
                        .may_ask = [](std::string_view program) { return program == "smtp" || program == "lmtp"; },
                        .before_jail = prepare,
                        .serve = [](server::Connection& session) { service->serve(session.stream); },
                        .background = [] { service->keep_house(); }},
                       argc, argv);
}
