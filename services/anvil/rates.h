// What anvil counts: for each client of each service the connections it has now, and how often it has connected, sent
// messages, named recipients, begun TLS sessions and tried to authenticate within the last anvil_rate_time_unit. Pure:
// the time is handed in.
//
// A rate is a count since the first event of the current time unit; the unit begins anew with the first event after its
// end.
#pragma once
#include <ctime>
#include <chrono>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
#include "ipc/anvil.h"

namespace anvil {
using Clock = std::chrono::steady_clock;

class Rates {
public:
    explicit Rates(std::chrono::seconds unit) : unit_(unit) {}

    // Each returns all counts of the client as they are afterwards.
    ipc::AnvilReply connect(const std::string& ident, Clock::time_point now);
    void disconnect(const std::string& ident);
    // what: "message", "recipient", "newtls", "auth"; others change nothing ("lookup", "newtls_status").
    ipc::AnvilReply count(const std::string& ident, std::string_view what, Clock::time_point now);
    // Forgets clients that have no connection and whose time unit is over.
    void forget_old(Clock::time_point now);
    std::size_t size() const { return clients_.size(); }

    // "max connection rate 69/60s for (smtp:192.0.2.1) at Nov 22 00:49:07", one for each kind of event there was since
    // the last call.
    std::vector<std::string> take_statistics();

private:
    struct Client {
        ipc::AnvilReply counts;
        Clock::time_point since;
    };
    struct Peak {
        int value = 0;
        std::string ident;
        std::time_t when = 0;
    };
    Client& find(const std::string& ident, Clock::time_point now);
    void peak(Peak& p, int value, const std::string& ident);

    std::chrono::seconds unit_;
    std::unordered_map<std::string, Client> clients_;
    Peak connection_rate_, connection_count_, message_rate_, recipient_rate_, newtls_rate_, auth_rate_, size_;
};
}
