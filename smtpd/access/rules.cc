#include "access/rules.h"
#include <fmt/format.h>
#include "access/check.h"
#include "base/bytes.h"
#include "conf/params/smtpd.h"
#include "log/log.h"

namespace smtpd {
namespace {
// --- the rules that look at nothing

Verdict nothing(Check&, const Restriction&) { return Verdict::dunno; }

Verdict broken(Check& check, const Restriction& r) {
    maillog::warning("restriction \"{}\" is not usable", r.name);
    return check.misconfigured();
}
Verdict permit(Check& check, const Restriction& r) { return check.permit(r, check.subject()); }
Verdict reject(Check& check, const Restriction&) {
    return check.refuse(check.code(param::reject_code), "5.7.1", check.subject(), "Access denied");
}
Verdict defer(Check& check, const Restriction&) {
    return check.refuse(check.code(param::defer_code), "4.7.1", check.subject(), "Access denied");
}
std::string requested(const Subject& s, const Restriction& r) {
    return fmt::format("<{}>: {} rejected: {} requested", s.name, s.klass, r.rule->name);
}
Verdict defer_if_permit(Check& check, const Restriction& r) {
    check.defer_if_permit(450, "4.7.0", requested(check.subject(), r));
    return Verdict::dunno;
}
Verdict defer_if_reject(Check& check, const Restriction& r) {
    check.defer_if_reject(450, "4.7.0", requested(check.subject(), r));
    return Verdict::dunno;
}
Verdict sleep(Check&, const Restriction& r) {
    loop::sleep_until(loop::in(std::chrono::seconds(r.number)));
    return Verdict::dunno;
}
Verdict members(Check& check, const Restriction& r) { return check.run(*r.members); }

constexpr auto none = Argument::none, a_table = Argument::table, a_list = Argument::dns_list,
               seconds = Argument::seconds, a_search = Argument::certificate_search;

constexpr Rule rules[] = {
    // clang-format off: a row a rule
    {"permit", none, Of::command, permit, Rule::last},
    {"reject", none, Of::command, reject, Rule::last | Rule::guard},
    {"defer", none, Of::command, defer, Rule::last | Rule::guard},
    {"warn_if_reject", none, Of::command, nothing, Rule::warn},
    {"defer_if_permit", none, Of::command, defer_if_permit, Rule::guard},
    {"defer_if_reject", none, Of::command, defer_if_reject},
    {"sleep", seconds, Of::command, sleep},
    {"permit_inet_interfaces", none, Of::client, rule::own_interfaces},
    {"permit_mynetworks", none, Of::client, rule::mynetworks},
    {"permit_sasl_authenticated", none, Of::client, nothing},
    {"permit_tls_clientcerts", none, Of::client, rule::listed_certificate},
    {"permit_tls_all_clientcerts", none, Of::client, rule::all_certificates},
    {"check_ccert_access", a_search, Of::client, rule::table_certificate},
    {"permit_auth_destination", none, Of::recipient, rule::permit_destination},
    {"permit_mx_backup", none, Of::recipient, rule::mx_backup},
    {"reject_unauth_destination", none, Of::recipient, rule::reject_destination, Rule::guard},
    {"check_relay_domains", none, Of::recipient, rule::reject_destination, Rule::guard},
    {"defer_unauth_destination", none, Of::recipient, rule::defer_destination, Rule::guard},
    {"reject_unauth_pipelining", none, Of::command, rule::early_pipelining},
    {"reject_plaintext_session", none, Of::client, rule::plaintext},
    {"reject_multi_recipient_bounce", none, Of::sender, rule::multi_recipient_bounce},
    {"reject_unknown_client_hostname", none, Of::client, rule::unknown_client},
    {"reject_unknown_client", none, Of::client, rule::unknown_client},
    {"reject_unknown_reverse_client_hostname", none, Of::reverse_client, rule::unknown_reverse_client},
    {"reject_unknown_forward_client_hostname", none, Of::client, rule::unknown_forward_client},
    {"reject_invalid_helo_hostname", none, Of::helo, rule::invalid_helo},
    {"reject_invalid_hostname", none, Of::helo, rule::invalid_helo},
    {"reject_non_fqdn_helo_hostname", none, Of::helo, rule::non_fqdn_helo},
    {"reject_non_fqdn_hostname", none, Of::helo, rule::non_fqdn_helo},
    {"reject_unknown_helo_hostname", none, Of::helo, rule::unknown_helo},
    {"reject_unknown_hostname", none, Of::helo, rule::unknown_helo},
    {"reject_non_fqdn_sender", none, Of::sender, rule::non_fqdn_address},
    {"reject_unknown_sender_domain", none, Of::sender, rule::unknown_domain},
    {"reject_unknown_address", none, Of::sender, rule::unknown_domain},
    {"reject_unlisted_sender", none, Of::sender, rule::unlisted},
    {"reject_non_fqdn_recipient", none, Of::recipient, rule::non_fqdn_address},
    {"reject_unknown_recipient_domain", none, Of::recipient, rule::unknown_domain},
    {"reject_unlisted_recipient", none, Of::recipient, rule::unlisted},
    {"check_recipient_maps", none, Of::recipient, rule::unlisted},
    {"reject_rbl_client", a_list, Of::client, rule::address_blocked},
    {"reject_rbl", a_list, Of::client, rule::address_blocked},
    {"reject_rhsbl_client", a_list, Of::client, rule::domain_blocked},
    {"reject_rhsbl_reverse_client", a_list, Of::reverse_client, rule::domain_blocked},
    {"reject_rhsbl_helo", a_list, Of::helo, rule::domain_blocked},
    {"reject_rhsbl_sender", a_list, Of::sender, rule::domain_blocked},
    {"reject_rhsbl_recipient", a_list, Of::recipient, rule::domain_blocked},
    {"permit_dnswl_client", a_list, Of::client, rule::address_allowed},
    {"permit_rhswl_client", a_list, Of::client, rule::domain_allowed},
    {"check_client_access", a_table, Of::client, rule::table_client},
    {"check_reverse_client_hostname_access", a_table, Of::reverse_client, rule::table_client},
    {"check_helo_access", a_table, Of::helo, rule::table_name},
    {"check_sender_access", a_table, Of::sender, rule::table_address},
    {"check_recipient_access", a_table, Of::recipient, rule::table_address},
    {"check_etrn_access", a_table, Of::etrn, rule::table_name},
    {"check_client_a_access", a_table, Of::client, rule::table_hosts},
    {"check_client_mx_access", a_table, Of::client, rule::table_exchangers},
    {"check_client_ns_access", a_table, Of::client, rule::table_nameservers},
    {"check_reverse_client_hostname_a_access", a_table, Of::reverse_client, rule::table_hosts},
    {"check_reverse_client_hostname_mx_access", a_table, Of::reverse_client, rule::table_exchangers},
    {"check_reverse_client_hostname_ns_access", a_table, Of::reverse_client, rule::table_nameservers},
    {"check_helo_a_access", a_table, Of::helo, rule::table_hosts},
    {"check_helo_mx_access", a_table, Of::helo, rule::table_exchangers},
    {"check_helo_ns_access", a_table, Of::helo, rule::table_nameservers},
    {"check_sender_a_access", a_table, Of::sender, rule::table_hosts},
    {"check_sender_mx_access", a_table, Of::sender, rule::table_exchangers},
    {"check_sender_ns_access", a_table, Of::sender, rule::table_nameservers},
    {"check_recipient_a_access", a_table, Of::recipient, rule::table_hosts},
    {"check_recipient_mx_access", a_table, Of::recipient, rule::table_exchangers},
    {"check_recipient_ns_access", a_table, Of::recipient, rule::table_nameservers},
    // clang-format on
};
}

constinit const Rule broken_rule{"", none, Of::command, broken};
constinit const Rule nothing_rule{"", none, Of::command, nothing};
constinit const Rule members_rule{"", none, Of::command, members};

const Rule* find_rule(std::string_view name) {
    for (const Rule& r : rules)
        if (bytes::iequals(r.name, name))
            return &r;
    return nullptr;
}

const Rule& table_rule(Phase phase) {
    switch (phase) {
    case Phase::client: return *find_rule("check_client_access");
    case Phase::helo: return *find_rule("check_helo_access");
    case Phase::sender: return *find_rule("check_sender_access");
    case Phase::etrn: return *find_rule("check_etrn_access");
    default: return *find_rule("check_recipient_access");
    }
}
}
