// local: delivers to people of this machine. It keeps root, and takes each recipient's rights before it touches what is
// theirs.
#include "context.h"
#include "delivery/agent.h"
#include "server/server.h"

int main(int argc, char** argv) {
    return server::run({.name = "local",
                        .needs = server::need::commands,
                        .privileges = server::Privileges::kept,
                        .sessions = server::Sessions::one,
                        .may_ask = delivery::Agent::may_ask,
                        .before_jail = local::before_jail,
                        .serve = [](server::Connection& session) { local::serve(session.stream); }},
                       argc, argv);
}
