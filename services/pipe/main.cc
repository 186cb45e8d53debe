// pipe: delivers to external commands.
#include "agent.h"
#include "delivery/agent.h"
#include "server/server.h"

int main(int argc, char** argv) {
    return server::run({.name = "pipe",
                        .needs = server::need::commands,
                        .takes_words = true,
                        .privileges = server::Privileges::kept,
                        .sessions = server::Sessions::one,
                        .may_ask = delivery::Agent::may_ask,
                        .before_jail = pipe_agent::before_jail,
                        .serve = [](server::Connection& session) { pipe_agent::serve(session.stream); }},
                       argc, argv);
}
