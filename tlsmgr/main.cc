// tlsmgr: what processes with TLS share: session caches, the keys of session tickets, randomness. One process;
// connections from smtpd, smtp, lmtp at private/tlsmgr (ipc/tlsmgr.h).
//
// When things fail: see session_cache.h and random.h; without tlsmgr TLS works, without resumption.
#include <memory>
#include "conf/rights.h"
#include "server/server.h"
#include "secret_keeper.h"

namespace {
std::unique_ptr<tlsmgr::SecretKeeper> service;

Result<void> open_files(const conf::Settings& settings) {
    TRY_ASSIGN(conf::Identity owner, conf::mail_owner(settings));
    conf::TakeIdentity as_owner(owner);  // its files belong to mail_owner, below data_directory
    service = std::make_unique<tlsmgr::SecretKeeper>(settings);
    return {};
}
}

int main(int argc, char** argv) {
    return server::run(
        {.name = "tlsmgr",
         .needs = server::need::files_write,
         .holds_keys = true,
         .bound = server::Bound::processes,
         .one_process = true,
         .may_ask =
             [](std::string_view program) { return program == "smtpd" || program == "smtp" || program == "lmtp"; },
         .before_jail = open_files,
         .serve = [](server::Connection& session) { service->serve(session.stream); },
         .background = [] { service->keep_house(); },
         .ending =
             [] {
                 if (service)
                     service->save_randomness();
             }},
        argc, argv);
}
