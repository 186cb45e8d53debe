// qmgr: decides what is delivered when, and by which delivery agent. MESSAGE_PATH.md walks one message through the system.
#include <memory>
#include "intake.h"
#include "log/log.h"
#include "server/server.h"

namespace {
qmgr::SessionLimits sessions;
std::unique_ptr<qmgr::Manager> manager;
std::unique_ptr<qmgr::Intake> intake;

Result<void> before_jail(const conf::Settings& settings) {
    sessions = qmgr::SessionLimits::read(settings);
    manager = std::make_unique<qmgr::Manager>(settings, sessions);
    intake = std::make_unique<qmgr::Intake>(*manager, settings);
    return {};
}

void triggered(std::string_view request) { intake->trigger(request); }
}

int main(int argc, char** argv) {
    return server::run({.name = "qmgr", .one_process = true, .before_jail = before_jail, .triggered = triggered, .background = [] { intake->run(); }}, argc, argv);
}
