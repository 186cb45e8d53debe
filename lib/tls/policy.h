// What TLS mail to one destination is to have: the level of main.cf, the destination's entry in smtp_tls_policy_maps
// (or the old smtp_tls_per_site), or what a source beside the tables (MTA-STS) says. For smtp, lmtp and posttls-finger.
//
//     TRY_ASSIGN(auto policies, tls::Policies::open(settings, lmtp));
//     TRY_ASSIGN(tls::Policy policy, policies.find(site));                    // once a destination
//     TRY_ASSIGN(tls::Policy here, policies.for_host(policy, "mx1.example.org"));   // for each of its hosts
//     tls::Demand demand = tls::demand_of(here, "mx1.example.org");           // what a session with it must show
//
// When things fail: open() returns an Error that names the parameter. find() and for_host() log a warning that says
// what is wrong with which entry and return "client TLS configuration problem" (4.7.5): mail waits, it never goes with
// less than was asked for.
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "conf/settings.h"
#include "ipc/tlsrpt.h"
#include "loop/loop.h"
#include "table/maps.h"
#include "tls/demand.h"

namespace tls {
// Where mail goes, as tables and certificates see it.
struct Site {
    std::string key;      // as written, without inet: or unix:  "[mx.example.org]:587"
    std::string nexthop;  // the name that certificates are compared with: no brackets, no port; ASCII
    bool domain = false;  // key is a bare domain: its parents are looked up as .example.org
    bool path = false;    // a UNIX-domain socket; nexthop and host name are then $myhostname
};

// What a policy that was published as MTA-STS brings along, from a table's attributes or from the built-in service.
struct Sts {
    bool found = true;                 // policy_type: sts; else no-policy-found
    std::string domain;                // policy_domain
    std::chrono::seconds ttl{0};       // policy_ttl: how long an answer of the table holds; 0: not at all
    std::vector<std::string> lines{};  // policy_string: the policy's own text
    std::vector<std::string> hosts{};  // mx_host_pattern: "mx.example.org", "*.example.net", ".example.net"
    std::optional<ipc::tlsrpt::ResultType>
        failure;            // policy_failure: why there is none that can be used: no server meets it then
    bool built_in = false;  // of our own service: patterns always hold, CAs are those of mta_sts_CAfile
    bool testing = false;   // what enforcing would refuse is logged, and nothing more
};

struct Policy {
    Site site;  // whose
    Level level = Level::none;
    std::string protocols, ciphers;      // empty: main.cf's
    std::optional<std::string> exclude;  // absent: main.cf's
    std::vector<std::string> match;      // names and strategies (verify, secure), fingerprints (fingerprint)
    std::vector<Tlsa> anchors;           // of tafile and smtp_tls_trust_anchor_file: trusted instead of the CAs
    std::string server_name;             // SNI: a name, "hostname", "nexthop", or empty
    bool connection_reuse = false;       // smtp_tls_connection_reuse
    bool raw_public_keys = false;
    int minimum_bits = 0;  // minbits=: least bits of the cipher's key
    std::string digest;    // of fingerprints
    std::optional<Sts> sts;
    // Level dane: what holds for hosts without TLSA records, where a source beside the tables knows better than may.
    std::shared_ptr<const Policy> without_tlsa;
    RequireTls require_tls = RequireTls::no;  // the message's, not the configuration's: the client adds it
};

class Policies {
public:
    // Asked where no table has an entry and main.cf's level is may or dane. Absent: main.cf's level holds. May wait.
    using Source = std::function<Result<std::optional<Policy>>(const Site& site)>;

    // Before the jail: opens tables and main.cf's trust anchors.
    static Result<Policies> open(const conf::Settings& settings, bool lmtp);
    void ask_also(Source source) { source_ = std::move(source); }
    // May wait (tables).
    Result<Policy> find(const Site& site) const;
    // The old per-site tables know hosts too; a host that an MTA-STS policy does not name is an Error (4.7.5). May
    // wait.
    Result<Policy> for_host(const Policy& policy, const std::string& host) const;
    // Can a session need TLS at all?
    bool any() const { return default_.level != Level::none || !maps_.empty() || !per_site_.empty(); }
    // main.cf's own.
    const Policy& fallback() const { return default_; }
    // A Policy of this level with everything else from main.cf: what a Source starts from.
    Policy of_level(Level level) const;

private:
    explicit Policies(const conf::Settings& settings, bool lmtp) : settings_(settings), lmtp_(lmtp) {}
    const std::string& text(const conf::Text& smtp_one, const conf::Text& lmtp_one) const {
        return settings_[lmtp_ ? lmtp_one : smtp_one];
    }
    Result<std::optional<std::string>> entry(const Site& site) const;
    Result<Policy> parse(const Site& site, const std::string& value) const;
    void remember(const Policy& policy) const;
    Result<void> check(Policy& policy) const;
    Result<std::optional<Level>> per_site(const std::string& key) const;

    conf::Settings settings_;
    bool lmtp_;
    table::Maps maps_, per_site_;
    struct Remembered {
        Policy policy;
        loop::Deadline until;
    };
    mutable loop::Deadline next_sweep_{};                   // of remembered_, when it is full
    mutable std::map<std::string, Remembered> remembered_;  // by Site::key: what came with a policy_ttl; at most 1000
    Policy default_;
    Source source_;
    std::string anchors_problem_;  // why main.cf's trust anchors cannot be had: levels that need them defer
    bool dnssec_ = false, sts_patterns_ = true;
};

// Is its MTA-STS policy known to be no good, and yet demands? No server meets that.
bool unmeetable(const Policy& policy);
// What a session with this host must show. Whoever has TLSA records for it adds them: demand.records, level dane or
// half_dane.
Demand demand_of(const Policy& policy, const std::string& host);

// Does an MTA-STS pattern (RFC 8461, section 4.1) name this host?
bool sts_pattern_matches(std::string_view pattern, std::string_view host);
// Does one of a policy's? Also where it has none at all.
bool names_host(const Sts& sts, std::string_view host);
}
