// discard: takes every recipient's mail and throws it away. The nexthop is the reason that the log shows: "status=sent
// (REASON)".
#include <optional>
#include "conf/params/global.h"
#include "delivery/agent.h"
#include "server/server.h"

namespace discard {
namespace {
std::optional<delivery::Agent> agent;

Result<void> prepare(const conf::Settings& settings) {
    agent.emplace(settings, settings[param::default_delivery_status_filter]);
    return {};
}

void deliver(delivery::Job& job) {
    delivery::Event event{.text = job.request().nexthop};
    for (delivery::JobRecipient& r : job.recipients())
        job.delivered(r, event);
}

void serve(server::Connection& session) { agent->serve(session.stream, deliver, server::retired); }
}
}

int main(int argc, char** argv) {
    return server::run({.name = "discard",
                        .needs = server::need::files_mark,
                        .may_ask = delivery::Agent::may_ask,
                        .before_jail = discard::prepare,
                        .serve = discard::serve},
                       argc, argv);
}
