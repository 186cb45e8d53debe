// Restriction lists (smtpd_client_restrictions and its like) in compiled form. Each word of a list is looked up, its
// tables opened and its argument checked once, at start; what is wrong or not built yet stays in the list as a step
// that answers 451 4.3.5.
//
// When things fail: compile() never does; problem() of a step says what is wrong, and one warning was logged.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
#include "base/error.h"
#include "table/maps.h"

namespace conf {
class Settings;
}

namespace smtpd {
enum class Phase : unsigned char { client, helo, sender, relay, recipient, data, end_of_data, etrn };

enum class Step : unsigned char {
    broken,    // misspelt or not built: 451 4.3.5
    no_match,  // needs what no client has yet (SASL)
    permit,
    reject,
    defer,
    warn_if_reject,
    defer_if_permit,
    defer_if_reject,
    sleep,
    members,
    permit_inet_interfaces,
    permit_mynetworks,
    permit_auth_destination,
    permit_mx_backup,
    reject_unauth_destination,
    defer_unauth_destination,
    reject_unauth_pipelining,
    reject_plaintext_session,
    reject_multi_recipient_bounce,
    reject_unknown_client,
    reject_unknown_reverse_client,
    reject_unknown_forward_client,
    reject_invalid_helo,
    reject_non_fqdn_helo,
    reject_unknown_helo,
    reject_non_fqdn_sender,
    reject_unknown_sender_domain,
    reject_unlisted_sender,
    reject_non_fqdn_recipient,
    reject_unknown_recipient_domain,
    reject_unlisted_recipient,
    reject_rbl_client,
    reject_rhsbl_client,
    reject_rhsbl_reverse_client,
    reject_rhsbl_helo,
    reject_rhsbl_sender,
    reject_rhsbl_recipient,
    permit_dnswl_client,
    permit_rhswl_client,
    permit_tls_clientcerts,
    permit_tls_all_clientcerts,
    check_ccert,
    check_client,
    check_reverse_client,
    check_helo,
    check_sender,
    check_recipient,
    check_etrn,
    check_client_a,
    check_client_mx,
    check_client_ns,
    check_reverse_client_a,
    check_reverse_client_mx,
    check_reverse_client_ns,
    check_helo_a,
    check_helo_mx,
    check_helo_ns,
    check_sender_a,
    check_sender_mx,
    check_sender_ns,
    check_recipient_a,
    check_recipient_mx,
    check_recipient_ns,
};

// "domain=127.0.0.[2..11;14]": the list's domain and which answers count; no filter: every answer.
struct DnsList {
    std::string domain;
    struct Range {
        unsigned char from, to;
    };
    std::vector<Range> octets[4];  // empty octets[0]: no filter
    bool matches(std::string_view ipv4) const;
    static Result<DnsList> parse(std::string_view text);
};

// What check_ccert_access looks up, in its search_order.
enum class CertificateKey : unsigned char {
    cert_fingerprint,
    pubkey_fingerprint,
    issuer_cn,
    subject_cn,
    issuer_dn,
    subject_dn
};
// "{ type:table, { search_order = subject_dn, issuer_dn } }", or "type:table" alone.
struct CertificateSearch {
    std::string table;
    std::vector<CertificateKey> keys;
    static Result<CertificateSearch> parse(std::string_view text);
};

struct RestrictionList;
struct Restriction {
    Step step = Step::broken;
    std::string name{};      // as written
    std::string argument{};  // as written: the list's domain, the table
    int number = 0;          // sleep
    std::shared_ptr<const table::Maps> table{};
    std::shared_ptr<const DnsList> list{};
    std::shared_ptr<const std::vector<CertificateKey>> certificate_keys{};
    std::shared_ptr<const RestrictionList> members{};  // of a restriction class
};
struct RestrictionList {
    std::vector<Restriction> steps;
    bool empty() const { return steps.empty(); }
};

// Compiles lists and keeps what they share: each table is opened once, each class compiled once.
class Lists {
public:
    void open(const conf::Settings& settings);
    // title: the parameter, for warnings. A bare "type:table" stands for the phase's check_…_access.
    RestrictionList compile(std::string_view title, std::string_view text, Phase phase);
    // The right-hand side of an access table that holds restrictions, compiled when first met. Tables are not allowed
    // in it.
    std::shared_ptr<const RestrictionList> from_table(std::string_view text, Phase phase);
    // Compiles the classes that no list has named: an access table may, when its tables can no longer be opened. Call
    // last, before the jail.
    void open_classes();
    // Is there a step that keeps strangers from relaying?
    static bool protects(const RestrictionList& list, int depth = 0);

private:
    std::shared_ptr<const table::Maps> table(std::string_view name);
    std::shared_ptr<const RestrictionList> restriction_class(const std::string& name, Phase phase);
    RestrictionList compile(std::string_view title, std::string_view text, Phase phase, bool tables_allowed);
    const conf::Settings* settings_ = nullptr;
    bool sasl_enabled_ = false;
    std::unordered_map<std::string, std::shared_ptr<const table::Maps>> tables_;
    std::vector<std::string> class_names_;
    std::unordered_map<std::string, std::shared_ptr<RestrictionList>> classes_;
    std::unordered_map<std::string, std::shared_ptr<const RestrictionList>> from_tables_;
};
}
