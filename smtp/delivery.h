// One delivery request: its recipients go to the first host that takes them. Destinations are tried in turn, and of
// each its hosts, best first, over kept connections where there are some.
//
// When things fail: dispositions.h says what becomes of whom.
#pragma once
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>
#include "delivery/job.h"
#include "dispositions.h"
#include "endpoint.h"
#include "kept.h"
#include "peer.h"
#include "tls_policy.h"

namespace smtp {
class Delivery {
public:
    Delivery(const Config& config, Kept& kept, const Flags& flags, delivery::Job& job)
        : config_(config), kept_(kept), job_(job), out_(config, flags, job) {}
    void run();

private:
    // One of the destinations to be tried in turn, and the parameter that names it: what is wrong with that one is
    // nobody's mail's fault.
    struct Candidate {
        std::string text;
        std::string_view parameter{};  // "relayhost", "smtp_fallback_relay"; empty: the recipient's domain, or a table
    };
    // One that is being tried.
    struct Attempt {
        tls::Policy policy;
        bool last;                         // no other comes after it
        bool tls_optional;                 // the sender does not insist on TLS
        bool load = false, store = false;  // connections may come from the kept ones, and go there
        std::string key{};                 // among them
    };

    std::vector<Candidate> candidates() const;
    // False: whatever comes of it, no other destination may be tried.
    bool try_destination(const Candidate& candidate, const Destination& destination, bool last);
    // Nothing: the failure is noted and logged, as it is for what follows.
    std::optional<Attempt> prepare(const Destination& destination, bool last);
    bool give_up(const Candidate& candidate, const Destination& destination, const HostList& hosts);
    void pass_to_best_mx(const std::string& host);
    void try_hosts(const Attempt& attempt, HostList& hosts);
    // What a session with this host must show.
    std::optional<tls::Demand> demand_for(const tls::Policy& policy, const Endpoint& endpoint, TlsReport& report);
    // A new peer, ready for MAIL.
    std::unique_ptr<Peer> reach(const Endpoint& endpoint, const tls::Policy& policy, const tls::Demand& demand,
                                TlsReport& report);
    // No session, and what that means; true: once more, in the clear.
    bool refused(const Refusal& refusal, const Peer& peer, bool without_tls);
    bool use_kept(const Attempt& attempt, const std::string& key);
    // best: the peer is the destination's first choice.
    void finish_with(std::unique_ptr<Peer> peer, const Attempt& attempt, bool best);

    const Config& config_;
    Kept& kept_;
    delivery::Job& job_;
    Dispositions out_;
    std::set<std::string> tried_;  // hosts that had their say over a kept connection
};
}
