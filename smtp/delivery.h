// One delivery request: its recipients go to the first host that takes them. What that host refuses for now goes to the
// next one; what the last one says holds.
//
// When things fail: temporary trouble with a host that is not the last is one log line and the next host is tried; with
// the last one, and for good at any, every recipient concerned gets its disposition. None is left over.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>
#include "delivery/job.h"
#include "endpoint.h"
#include "handshake.h"
#include "kept.h"
#include "peer.h"

namespace smtp {
struct Flags {
    bool delivered_to = false, original_to = false, return_path = false, final_delivery = false;
};  // flags=DORX

class Delivery {
public:
    Delivery(const Config& config, Kept& kept, const Flags& flags, delivery::Job& job)
        : config_(config), kept_(kept), flags_(flags), job_(job) {}
    void run();

private:
    friend class Transaction;
    using Recipients = std::vector<delivery::Recipient*>;

    // What is held against a recipient until another host has been tried.
    struct Held {
        Error why;
        std::string diagnostic, relay, mta, tls;
        int uses = 0;
        base::WallTime connected{};
    };

    // One of the destinations to be tried in turn, and the parameter that names it: what is wrong with that one is
    // nobody's mail's fault.
    struct Candidate {
        std::string text;
        std::string_view parameter{};  // "relayhost", "smtp_fallback_relay"; empty: the recipient's domain, or a table
    };
    std::vector<Candidate> candidates() const;
    // False: whatever comes of it, no other destination may be tried.
    bool try_destination(const Candidate& candidate, const Destination& destination, bool last);
    bool give_up(const Candidate& candidate, const Destination& destination, const HostList& hosts);
    void return_looping();  // flags=D: the message has been delivered to this recipient before
    void pass_to_best_mx(const std::string& host);
    bool use_kept(const std::string& key);
    // A new peer, ready for MAIL. Null: the failure is noted and logged.
    std::unique_ptr<Peer> reach(const Endpoint& endpoint, const TlsPlan& plan, TlsReport& report);
    // REQUIRETLS is not met at this host: the next one may do better. Where none is left the message goes back, unless
    // some host could not be asked.
    void pass_over(Refusal refusal, const Peer* peer);
    // What the message's REQUIRETLS comes to at this destination.
    Result<RequireTls> demand_for(const TlsPolicy& policy) const;
    void use(std::unique_ptr<Peer> peer);
    void finish_with(std::unique_ptr<Peer> peer);

    // The whole rest, or one recipient, could not be delivered to this peer (null: to no peer): held until the next
    // host was tried, or settled, when the failure is permanent or nothing comes after this host.
    void fail(const Error& why, const Peer* peer, std::string_view diagnostic, delivery::Recipient* only = nullptr);
    // As fail(), where the destination itself is at fault; logged already or not worth a line while there are other
    // hosts.
    void unreachable(const Error& why);
    void settle(delivery::Recipient& recipient, const Held& held);
    void delivered(delivery::Recipient& recipient, const Peer& peer, const Reply& reply);
    delivery::Event event(const Held& held) const;
    Held held(const Error& why, const Peer* peer, std::string_view diagnostic) const;
    Recipients left();
    bool any_left() { return !left().empty(); }

    const Config& config_;
    Kept& kept_;
    const Flags& flags_;
    delivery::Job& job_;
    std::string destination_key_;
    std::uint16_t best_preference_ = 0;
    bool last_host_ = false;  // nothing comes after the host that is being tried
    bool store_ = false;      // keep the connection afterwards
    std::string wish_;        // tls= while there is no connection
    std::map<const delivery::Recipient*, Held> held_;
    std::optional<Error> site_failure_;  // no host of the destination has taken as much as MAIL so far
    std::set<std::string> tried_;        // hosts that had their say over a kept connection
    base::WallTime connected_{};
};
}
