#include "conf/restrictions.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace conf {
namespace {
using A = Restriction::Argument;
const std::vector<Restriction> table{
    {"check_address_map", A::table, false},
    {"check_ccert_access", A::table, true},
    {"check_client_a_access", A::table, true},
    {"check_client_access", A::table, true},
    {"check_client_mx_access", A::table, true},
    {"check_client_ns_access", A::table, true},
    {"check_etrn_access", A::table, true},
    {"check_helo_a_access", A::table, true},
    {"check_helo_access", A::table, true},
    {"check_helo_mx_access", A::table, true},
    {"check_helo_ns_access", A::table, true},
    {"check_policy_service", A::word, false},
    {"check_recipient_a_access", A::table, true},
    {"check_recipient_access", A::table, true},
    {"check_recipient_maps", A::none, true},
    {"check_recipient_mx_access", A::table, true},
    {"check_recipient_ns_access", A::table, true},
    {"check_relay_domains", A::none, true},
    {"check_reverse_client_hostname_a_access", A::table, true},
    {"check_reverse_client_hostname_access", A::table, true},
    {"check_reverse_client_hostname_mx_access", A::table, true},
    {"check_reverse_client_hostname_ns_access", A::table, true},
    {"check_sasl_access", A::table, false},
    {"check_sender_a_access", A::table, true},
    {"check_sender_access", A::table, true},
    {"check_sender_mx_access", A::table, true},
    {"check_sender_ns_access", A::table, true},
    {"defer", A::none, true},
    {"defer_if_permit", A::none, true},
    {"defer_if_reject", A::none, true},
    {"defer_unauth_destination", A::none, true},
    {"permit", A::none, true},
    {"permit_auth_destination", A::none, true},
    {"permit_dnswl_client", A::word, true},
    {"permit_inet_interfaces", A::none, true},
    {"permit_mx_backup", A::none, true},
    {"permit_mynetworks", A::none, true},
    {"permit_naked_ip_address", A::none, false},
    {"permit_rhswl_client", A::word, true},
    {"permit_sasl_authenticated", A::none, true},
    {"permit_tls_all_clientcerts", A::none, true},
    {"permit_tls_clientcerts", A::none, true},
    {"reject", A::none, true},
    {"reject_authenticated_sender_login_mismatch", A::none, false},
    {"reject_invalid_helo_hostname", A::none, true},
    {"reject_invalid_hostname", A::none, true},
    {"reject_known_sender_login_mismatch", A::none, false},
    {"reject_maps_rbl", A::none, false},
    {"reject_multi_recipient_bounce", A::none, true},
    {"reject_non_fqdn_helo_hostname", A::none, true},
    {"reject_non_fqdn_hostname", A::none, true},
    {"reject_non_fqdn_recipient", A::none, true},
    {"reject_non_fqdn_sender", A::none, true},
    {"reject_plaintext_session", A::none, true},
    {"reject_rbl", A::word, true},
    {"reject_rbl_client", A::word, true},
    {"reject_rhsbl_client", A::word, true},
    {"reject_rhsbl_helo", A::word, true},
    {"reject_rhsbl_recipient", A::word, true},
    {"reject_rhsbl_reverse_client", A::word, true},
    {"reject_rhsbl_sender", A::word, true},
    {"reject_sender_login_mismatch", A::none, false},
    {"reject_unauth_destination", A::none, true},
    {"reject_unauth_pipelining", A::none, true},
    {"reject_unauthenticated_sender_login_mismatch", A::none, false},
    {"reject_unknown_address", A::none, true},
    {"reject_unknown_client", A::none, true},
    {"reject_unknown_client_hostname", A::none, true},
    {"reject_unknown_forward_client_hostname", A::none, true},
    {"reject_unknown_helo_hostname", A::none, true},
    {"reject_unknown_hostname", A::none, true},
    {"reject_unknown_recipient_domain", A::none, true},
    {"reject_unknown_reverse_client_hostname", A::none, true},
    {"reject_unknown_sender_domain", A::none, true},
    {"reject_unlisted_recipient", A::none, true},
    {"reject_unlisted_sender", A::none, true},
    {"reject_unverified_recipient", A::none, false},
    {"reject_unverified_sender", A::none, false},
    {"sleep", A::number, true},
    {"warn_if_reject", A::restriction, true},
};

std::string_view nearest_restriction(std::string_view name) {
    // A shared beginning and end says more here than an edit distance would.
    std::string_view best;
    std::size_t most = name.size() / 2;
    for (auto& r : table) {
        std::size_t head = 0, tail = 0, least = std::min(name.size(), r.name.size());
        while (head < least && name[head] == r.name[head])
            ++head;
        while (tail < least - head && name[name.size() - 1 - tail] == r.name[r.name.size() - 1 - tail])
            ++tail;
        std::size_t apart = std::max(name.size(), r.name.size()) - head - tail;
        if (apart <= 3 && head + tail > most) {
            most = head + tail;
            best = r.name;
        }
    }
    return best;
}
}

const std::vector<Restriction>& all_restrictions() { return table; }

const Restriction* find_restriction(std::string_view name) {
    auto found = std::lower_bound(table.begin(), table.end(), name,
                                  [](const Restriction& r, std::string_view n) { return r.name < n; });
    return found != table.end() && found->name == name ? &*found : nullptr;
}

std::vector<std::string> restriction_problems(std::string_view list, const std::vector<std::string>& classes) {
    std::vector<std::string> out;
    std::vector<std::string_view> words = bytes::split_outside_braces(list, ", \t\r\n");
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string_view word = words[i];
        if (word.find(':') != word.npos || word.front() == '{')
            continue;  // a table alone is check_…_access of the list's own kind
        std::string name = bytes::lowered(word);
        if (std::find(classes.begin(), classes.end(), word) != classes.end())
            continue;
        const Restriction* known = find_restriction(name);
        if (!known) {
            std::string_view near = nearest_restriction(name);
            out.push_back(fmt::format("unknown restriction \"{}\"{}", bytes::printable(word),
                                      near.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", near)));
            continue;
        }
        if (!known->built)
            out.push_back(fmt::format(
                "restriction {} is not built yet: who reaches it is told to come back later (451 4.3.5)", name));
        bool takes = known->argument != A::none;
        if (takes && i + 1 == words.size()) {
            out.push_back(fmt::format("restriction {} needs an argument behind it", name));
            break;
        }
        if (known->argument == A::number && !bytes::to_int(words[i + 1]))
            out.push_back(fmt::format("restriction {} needs a number behind it, not \"{}\"", name,
                                      bytes::printable(words[i + 1])));
        if (takes && known->argument != A::restriction)
            ++i;
    }
    return out;
}
}
