// anvil: counts connections and events of each client for smtpd, which applies the limits (ipc/anvil.h). One process.
// What a connection to anvil named as connected, and has not taken back, has disconnected when it closes: its smtpd has
// died.
//
// When things fail: a request that makes no sense ends the connection; when anvil is restarted all counts begin at
// zero.
#include <memory>
#include <string>
#include <unordered_map>
#include "conf/params/services.h"
#include "ipc/anvil.h"
#include "log/log.h"
#include "rates.h"
#include "server/server.h"

namespace anvil {
namespace {
std::unique_ptr<Rates> rates;
constexpr std::size_t ident_limit = 1000;

// Who is connected to the process at the other end, and how often.
struct Registration {
    std::unordered_map<std::string, int> clients;
    ~Registration() {
        for (const auto& [ident, count] : clients)
            for (int i = 0; i < count; ++i)
                rates->disconnect(ident);
    }
    void end(const std::string& ident) {
        const auto at = clients.find(ident);
        if (at == clients.end())
            return;
        rates->disconnect(ident);
        if (--at->second == 0)
            clients.erase(at);
    }
};

ipc::AnvilReply answer(const ipc::AnvilRequest& request, Registration& registration) {
    if (request.request == "connect") {
        ++registration.clients[request.ident];
        return rates->connect(request.ident, Clock::now());
    }
    if (request.request == "disconnect") {
        registration.end(request.ident);
        return rates->count(request.ident, "lookup", Clock::now());
    }
    return rates->count(request.ident, request.request, Clock::now());
}

void serve(server::Connection& session) {
    Registration registration;
    for (;;) {
        auto request = ipc::receive<ipc::AnvilRequest>(session.stream, loop::never);
        if (!request || request->ident.size() > ident_limit) {
            if (!session.stream.at_end() && session.stream.failure() == net::Stream::Failure::none)
                maillog::warning("request from a client: {}", request ? "too long" : request.error().reason);
            return;
        }
        auto deadline = loop::in(std::chrono::seconds(10));
        if (!ipc::send(session.stream, answer(*request, registration), deadline) || !session.stream.flush(deadline))
            return;
    }
}

void log_statistics() {
    for (const std::string& line : rates->take_statistics())
        maillog::info("{}", line);
}

Result<void> prepare(const conf::Settings& settings) {
    rates = std::make_unique<Rates>(settings[param::anvil_rate_time_unit]);
    return {};
}

void look_after() {
    auto unit = server::settings()[param::anvil_rate_time_unit],
         update = server::settings()[param::anvil_status_update_time];
    for (auto next_log = loop::in(update);;) {
        loop::sleep_until(std::min(next_log, loop::in(unit)));
        rates->forget_old(Clock::now());
        if (loop::Clock::now() < next_log)
            continue;
        log_statistics();
        next_log = loop::in(update);
    }
}
}
}

int main(int argc, char** argv) {
    return server::run({.name = "anvil",
                        .needs = server::need::nothing_more,
                        .bound = server::Bound::processes,
                        .one_process = true,
                        .may_ask = [](std::string_view program) { return program == "smtpd"; },
                        .before_jail = anvil::prepare,
                        .serve = anvil::serve,
                        .background = anvil::look_after,
                        .ending = anvil::log_statistics},
                       argc, argv);
}
