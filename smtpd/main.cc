// smtpd: receives mail over SMTP (master.cf: smtp, submission …). Talks to cleanup, trivial-rewrite, anvil, flush,
// tlsmgr.
#include "conf/params/global.h"
#include "server/server.h"
#include "smtpd.h"
#include "stand_alone.h"

int main(int argc, char** argv) {
    if (smtpd::stand_alone_wanted(argc, argv))
        return smtpd::stand_alone(argc, argv);
    return server::run({.name = "smtpd",
                        .needs = server::need::tables,
                        .holds_keys = true,
                        .default_limit = &param::default_session_limit,
                        .before_jail = smtpd::open_service,
                        .after_jail = smtpd::ready,
                        .serve = smtpd::serve,
                        .no_memory = smtpd::no_memory},
                       argc, argv);
}
