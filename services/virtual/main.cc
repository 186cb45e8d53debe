// virtual: delivers to mailboxes of domains whose users are no users of this machine.
#include "agent.h"
#include "delivery/agent.h"
#include "server/server.h"

int main(int argc, char** argv) {
    return server::run({.name = "virtual",
                        .needs = server::need::tables | server::need::files_write | server::need::users_rights,
                        .privileges = server::Privileges::kept,
                        .sessions = server::Sessions::one,
                        .may_ask = delivery::Agent::may_ask,
                        .before_jail = virtual_mailbox::before_jail,
                        .serve = [](server::Connection& session) { virtual_mailbox::serve(session.stream); }},
                       argc, argv);
}
