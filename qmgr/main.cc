// qmgr: decides what is delivered when, and by which delivery agent. MESSAGE_PATH.md walks one message through the
// system.
#include "conf/params/qmgr.h"
#include "intake.h"
#include "ipc/qmgr.h"
#include "log/log.h"
#include "server/server.h"

namespace {
// Never destroyed: at the end of the process their kept connections would outlive the loop that they belong to.
qmgr::Manager* manager;
qmgr::Intake* intake;

Result<void> before_jail(const conf::Settings& settings) {
    manager = new qmgr::Manager(settings, qmgr::SessionLimits::read(settings));
    intake = new qmgr::Intake(*manager, settings);
    return {};
}

void triggered(std::string_view request) { intake->trigger(request); }

Result<ipc::NewMail> next_notice(net::Stream& stream) {
    server::Idle idle;
    return ipc::receive<ipc::NewMail>(stream, loop::never);
}

void serve(server::Connection& session) {
    while (auto notice = next_notice(session.stream))
        intake->arrived(notice->queue_ids);
}
}

int main(int argc, char** argv) {
    return server::run({.name = "qmgr",
                        .needs = server::need::files_write,
                        .one_process = true,
                        .watchdog = &param::qmgr_daemon_timeout,
                        .before_jail = before_jail,
                        .serve = serve,
                        .triggered = triggered,
                        .background = [] { intake->run(); }},
                       argc, argv);
}
