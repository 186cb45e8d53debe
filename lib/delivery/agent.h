// What makes a process a delivery agent: it takes requests from qmgr (ipc/delivery.h) one after another on a
// connection, opens the queue file under a shared lock, has the message delivered, and answers when every recipient has
// its disposition.
//
//     std::optional<delivery::Agent> agent;                                       // made in before_jail: it may open
//     tables agent.emplace(settings, settings[param::smtp_delivery_status_filter]); void serve(server::Connection&
//     session) { agent->serve(session.stream, deliver, server::retired); }
//
// When things fail: a request that makes no sense ends the connection; a queue file that is gone or locked is answered
// "deferred" with a warning, and qmgr looks again; a damaged one likewise. A recipient that the agent left over is
// deferred, and the fault logged.
#pragma once
#include <functional>
#include <memory>
#include <string_view>
#include "conf/settings.h"
#include "delivery/job.h"
#include "net/stream.h"

namespace delivery {
class Agent {
public:
    // status_filter: the value of the agent's …_delivery_status_filter. The settings are copied (copies share).
    Agent(const conf::Settings& settings, std::string_view status_filter);
    ~Agent();
    Agent(const Agent&) = delete;

    using Handler = std::function<void(Job&)>;
    // Until the peer closes, or asks nothing for an hour, or leaving() says that another process has taken over: qmgr
    // is told with the answer to its last request, so that its next one goes to the successor.
    void serve(net::Stream& peer, const Handler& deliver, bool (*leaving)()) const;
    // One request that was read already; the answer. peer: who asked, nothing is delivered once it has gone; null: the
    // caller itself.
    ipc::DeliveryReply handle(ipc::DeliveryRequest request, const Handler& deliver, net::Stream* peer = nullptr) const;

    // Who may ask a delivery agent: qmgr; local for mailbox_transport and the like.
    static bool may_ask(std::string_view program);

    const conf::Settings& settings() const;
    struct Services;  // connections to bounce, defer and trace; the filter table
    Services& services() const { return *services_; }

private:
    std::unique_ptr<Services> services_;
};
}
