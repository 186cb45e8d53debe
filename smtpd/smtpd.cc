#include "smtpd.h"
#include "base/bytes.h"
#include "conf/params/smtpd.h"
#include "dns/dns.h"
#include "log/log.h"
#include "server/server.h"
#include "service.h"
#include "session.h"
#include "table/table.h"
#include "tls/server_context.h"
#include "tls/tlsmgr_store.h"

namespace smtpd {
namespace {
std::unique_ptr<tls::TlsmgrStore> store;  // outlives the context in service
std::unique_ptr<Service> service;
}

Result<void> open_service(const conf::Settings& settings) {
    table::configure(settings);
    dns::open();
    if (!settings[param::smtpd_dns_reply_filter].empty()) {
        auto maps = table::Maps::open("smtpd_dns_reply_filter", settings[param::smtpd_dns_reply_filter]);
        dns::set_reply_filter([maps](const dns::Record& record) {
            auto action = maps.find(record.text());
            return !(action && *action && bytes::iequals(**action, "IGNORE"));
        });
    }
    TRY_ASSIGN(service, Service::open(settings));
    for (const std::string& file : table::opened_files())
        server::opened_file(file);
    server::opened_tls_files(settings, "smtpd");
    if (!service->tls_problem.empty()) {  // the generation that serves has a certificate that is good
        if (server::successor())
            return permanent(service->tls_problem);
        maillog::warning("{}", tls::disabling_text(service->tls_problem));
    }
    if (service->tls) {
        for (const std::string& file : service->tls->files())
            server::opened_file(file);
        store = std::make_unique<tls::TlsmgrStore>(settings, "smtpd",
                                                   !settings[param::smtpd_tls_session_cache_database].empty());
        service->tls->keep_sessions_in(store.get());
    }
    return {};
}

Result<void> ready(const conf::Settings&) {
    if (store)
        store->seed();
    return {};
}

const std::string& no_memory() { return service->no_memory; }

// On the heap: an idle fiber's stack fits one page without it.
void serve(server::Connection& session) {
    std::make_unique<Session>(*service, session.stream, server::stressed())->serve(session.peer);
}
}
