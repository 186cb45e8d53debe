// One conversation with a server, from the connection to QUIT, and what is shown of it.
//
// When things fail: one line says what, and the conversation is over; only a connection lost at STARTTLS ends the
// program.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include "log/log.h"
#include "lookup.h"
#include "net/stream.h"
#include "options.h"
#include "tls/client_context.h"
#include "tls/dane.h"
#include "tls/info.h"

namespace finger {
// Sessions for -r; they go when the program ends.
class MemoryStore final : public tls::SessionStore {
public:
    std::optional<std::string> find(std::string_view id) override;
    void save(std::string_view id, std::string_view session) override { sessions_[std::string(id)] = session; }
    void remove(std::string_view id) override { sessions_.erase(std::string(id)); }
    std::vector<tls::TicketKey> ticket_keys() override { return {}; }
    bool empty() const { return sessions_.empty(); }

private:
    std::map<std::string, std::string> sessions_;
};

class Probe {
public:
    Probe(const Options& options, const conf::Settings& settings, Destination destination, std::vector<Host> hosts)
        : options_(options), settings_(settings), destination_(std::move(destination)), hosts_(std::move(hosts)) {}
    // With -r: as often as it says.
    void run();

private:
    struct Reply {
        int code = 0;
        std::string text, line;
    };  // text: of all lines, behind the codes

    bool make_context(tls::LogOptions log);
    bool connect();
    void converse();
    std::optional<tls::Demand> demand_for_host();
    std::optional<tls::Level> take_tlsa(tls::Demand& demand);
    bool start_tls();
    void show_chain();
    bool say_hello(bool& offers_tls);
    void say(std::string_view line);
    // The next reply, within this time; absent after a line that says why, with `doing` in it, at this level.
    std::optional<Reply> reply(std::chrono::seconds timeout, std::string_view doing,
                               maillog::Level level = maillog::Level::info);

    const Options& options_;
    const conf::Settings& settings_;
    Destination destination_;
    std::vector<Host> hosts_;
    std::shared_ptr<tls::ClientContext> context_;
    MemoryStore store_;
    Host host_;
    std::string label_;  // of host_, for log lines
    std::unique_ptr<net::Stream> stream_;
    std::string server_name_;  // as the server calls itself
    bool under_tls_ = false;
    std::set<std::string> seen_;
};
}
