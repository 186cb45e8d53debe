// error, and the same program as retry: fails every recipient with the reason that stands in the nexthop. The service
// named "retry" defers ("this destination is given up for now"), any other bounces ("no mail goes there").
#include <optional>
#include "conf/params/global.h"
#include "delivery/agent.h"
#include "reason.h"
#include "server/server.h"

namespace error_service {
namespace {
std::optional<delivery::Agent> agent;

Result<void> prepare(const conf::Settings& settings) {
    agent.emplace(settings, settings[param::default_delivery_status_filter]);
    return {};
}

void deliver(delivery::Job& job) {
    bool deferring = server::service_name() == "retry";
    Reason reason = parse_reason(job.request().nexthop, deferring);
    delivery::Event event{.status = reason.status, .text = reason.text};
    for (delivery::JobRecipient& r : job.recipients())
        deferring ? job.deferred(r, event) : job.bounced(r, event);
}

void serve(server::Connection& session) { agent->serve(session.stream, deliver, server::retired); }
}
}

int main(int argc, char** argv) {
    return server::run({.name = "error",
                        .needs = server::need::files_mark,
                        .may_ask = delivery::Agent::may_ask,
                        .before_jail = error_service::prepare,
                        .serve = error_service::serve},
                       argc, argv);
}
