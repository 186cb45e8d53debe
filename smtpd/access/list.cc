#include "access/list.h"
#include <algorithm>
#include <cstring>
#include "base/bytes.h"
#include "conf/params/global.h"
#include "conf/params/smtpd.h"
#include "conf/settings.h"
#include "log/log.h"

namespace smtpd {
namespace {
enum class Needs : unsigned char { nothing, table, dns_list, number, certificate_search };
struct Word {
    std::string_view name;
    Step step;
    Needs needs;
};
constexpr Word words[] = {
    {"permit", Step::permit, Needs::nothing},
    {"reject", Step::reject, Needs::nothing},
    {"defer", Step::defer, Needs::nothing},
    {"warn_if_reject", Step::warn_if_reject, Needs::nothing},
    {"defer_if_permit", Step::defer_if_permit, Needs::nothing},
    {"defer_if_reject", Step::defer_if_reject, Needs::nothing},
    {"sleep", Step::sleep, Needs::number},
    {"permit_inet_interfaces", Step::permit_inet_interfaces, Needs::nothing},
    {"permit_mynetworks", Step::permit_mynetworks, Needs::nothing},
    {"permit_sasl_authenticated", Step::no_match, Needs::nothing},
    {"permit_tls_clientcerts", Step::permit_tls_clientcerts, Needs::nothing},
    {"permit_tls_all_clientcerts", Step::permit_tls_all_clientcerts, Needs::nothing},
    {"check_ccert_access", Step::check_ccert, Needs::certificate_search},
    {"permit_auth_destination", Step::permit_auth_destination, Needs::nothing},
    {"permit_mx_backup", Step::permit_mx_backup, Needs::nothing},
    {"reject_unauth_destination", Step::reject_unauth_destination, Needs::nothing},
    {"check_relay_domains", Step::reject_unauth_destination, Needs::nothing},
    {"defer_unauth_destination", Step::defer_unauth_destination, Needs::nothing},
    {"reject_unauth_pipelining", Step::reject_unauth_pipelining, Needs::nothing},
    {"reject_plaintext_session", Step::reject_plaintext_session, Needs::nothing},
    {"reject_multi_recipient_bounce", Step::reject_multi_recipient_bounce, Needs::nothing},
    {"reject_unknown_client_hostname", Step::reject_unknown_client, Needs::nothing},
    {"reject_unknown_client", Step::reject_unknown_client, Needs::nothing},
    {"reject_unknown_reverse_client_hostname", Step::reject_unknown_reverse_client, Needs::nothing},
    {"reject_unknown_forward_client_hostname", Step::reject_unknown_forward_client, Needs::nothing},
    {"reject_invalid_helo_hostname", Step::reject_invalid_helo, Needs::nothing},
    {"reject_invalid_hostname", Step::reject_invalid_helo, Needs::nothing},
    {"reject_non_fqdn_helo_hostname", Step::reject_non_fqdn_helo, Needs::nothing},
    {"reject_non_fqdn_hostname", Step::reject_non_fqdn_helo, Needs::nothing},
    {"reject_unknown_helo_hostname", Step::reject_unknown_helo, Needs::nothing},
    {"reject_unknown_hostname", Step::reject_unknown_helo, Needs::nothing},
    {"reject_non_fqdn_sender", Step::reject_non_fqdn_sender, Needs::nothing},
    {"reject_unknown_sender_domain", Step::reject_unknown_sender_domain, Needs::nothing},
    {"reject_unknown_address", Step::reject_unknown_sender_domain, Needs::nothing},
    {"reject_unlisted_sender", Step::reject_unlisted_sender, Needs::nothing},
    {"reject_non_fqdn_recipient", Step::reject_non_fqdn_recipient, Needs::nothing},
    {"reject_unknown_recipient_domain", Step::reject_unknown_recipient_domain, Needs::nothing},
    {"reject_unlisted_recipient", Step::reject_unlisted_recipient, Needs::nothing},
    {"check_recipient_maps", Step::reject_unlisted_recipient, Needs::nothing},
    {"reject_rbl_client", Step::reject_rbl_client, Needs::dns_list},
    {"reject_rbl", Step::reject_rbl_client, Needs::dns_list},
    {"reject_rhsbl_client", Step::reject_rhsbl_client, Needs::dns_list},
    {"reject_rhsbl_reverse_client", Step::reject_rhsbl_reverse_client, Needs::dns_list},
    {"reject_rhsbl_helo", Step::reject_rhsbl_helo, Needs::dns_list},
    {"reject_rhsbl_sender", Step::reject_rhsbl_sender, Needs::dns_list},
    {"reject_rhsbl_recipient", Step::reject_rhsbl_recipient, Needs::dns_list},
    {"permit_dnswl_client", Step::permit_dnswl_client, Needs::dns_list},
    {"permit_rhswl_client", Step::permit_rhswl_client, Needs::dns_list},
    {"check_client_access", Step::check_client, Needs::table},
    {"check_reverse_client_hostname_access", Step::check_reverse_client, Needs::table},
    {"check_helo_access", Step::check_helo, Needs::table},
    {"check_sender_access", Step::check_sender, Needs::table},
    {"check_recipient_access", Step::check_recipient, Needs::table},
    {"check_etrn_access", Step::check_etrn, Needs::table},
    {"check_client_a_access", Step::check_client_a, Needs::table},
    {"check_client_mx_access", Step::check_client_mx, Needs::table},
    {"check_client_ns_access", Step::check_client_ns, Needs::table},
    {"check_reverse_client_hostname_a_access", Step::check_reverse_client_a, Needs::table},
    {"check_reverse_client_hostname_mx_access", Step::check_reverse_client_mx, Needs::table},
    {"check_reverse_client_hostname_ns_access", Step::check_reverse_client_ns, Needs::table},
    {"check_helo_a_access", Step::check_helo_a, Needs::table},
    {"check_helo_mx_access", Step::check_helo_mx, Needs::table},
    {"check_helo_ns_access", Step::check_helo_ns, Needs::table},
    {"check_sender_a_access", Step::check_sender_a, Needs::table},
    {"check_sender_mx_access", Step::check_sender_mx, Needs::table},
    {"check_sender_ns_access", Step::check_sender_ns, Needs::table},
    {"check_recipient_a_access", Step::check_recipient_a, Needs::table},
    {"check_recipient_mx_access", Step::check_recipient_mx, Needs::table},
    {"check_recipient_ns_access", Step::check_recipient_ns, Needs::table},
};
// Known to 3.12, not built here: their tables or endpoints are one word.
constexpr std::string_view with_argument[] = {"check_policy_service", "check_sasl_access", "check_address_map"};
constexpr std::string_view without_argument[] = {"reject_unverified_sender", "reject_unverified_recipient"};
// Without SASL they mean nothing: nobody can have logged in.
constexpr std::string_view of_sasl[] = {"reject_sender_login_mismatch", "reject_authenticated_sender_login_mismatch",
                                        "reject_unauthenticated_sender_login_mismatch",
                                        "reject_known_sender_login_mismatch"};

template <std::size_t N> bool among(const std::string_view (&names)[N], std::string_view name) {
    return std::find(names, names + N, name) != names + N;
}

const Word* find_word(std::string_view name) {
    for (const Word& w : words)
        if (bytes::iequals(w.name, name))
            return &w;
    return nullptr;
}
Step access_step(Phase phase) {
    switch (phase) {
    case Phase::client: return Step::check_client;
    case Phase::helo: return Step::check_helo;
    case Phase::sender: return Step::check_sender;
    case Phase::etrn: return Step::check_etrn;
    default: return Step::check_recipient;
    }
}
bool is_table(std::string_view word) {
    std::size_t colon = word.find(':');
    return colon != word.npos && colon > 0;
}
}

void Lists::open(const conf::Settings& settings) {
    settings_ = &settings;
    sasl_enabled_ = settings[param::smtpd_sasl_auth_enable];
    for (std::string_view name : bytes::split(settings[param::smtpd_restriction_classes], ", \t\r\n"))
        class_names_.emplace_back(name);
}

std::shared_ptr<const table::Maps> Lists::table(std::string_view name) {
    std::string key(name);
    if (auto known = tables_.find(key); known != tables_.end())
        return known->second;
    return tables_[key] = std::make_shared<const table::Maps>(
               table::Maps::open("access", name.starts_with('{') ? name : std::string_view(key)));
}

std::shared_ptr<const RestrictionList> Lists::restriction_class(const std::string& name, Phase phase) {
    std::string key = name + '/' + std::to_string(static_cast<int>(access_step(phase)));
    if (auto known = classes_.find(key); known != classes_.end())
        return known->second;
    auto list = std::make_shared<RestrictionList>();
    classes_[key] = list;  // before its members: a class may name itself, evaluation bounds the depth
    auto text = settings_->value(name);
    if (!text)
        maillog::warning("restriction class `{}' needs a definition", name);
    *list = text ? compile(name, *text, phase, true) : RestrictionList{{Restriction{Step::broken, name}}};
    return list;
}

void Lists::open_classes() {
    for (const std::string& name : class_names_) {
        const bool known = std::any_of(classes_.begin(), classes_.end(),
                                       [&](const auto& c) { return c.first.starts_with(name + '/'); });
        if (!known)
            (void)restriction_class(name, Phase::recipient);  // another phase finds the tables open
    }
}

RestrictionList Lists::compile(std::string_view title, std::string_view text, Phase phase) {
    return compile(title, text, phase, true);
}

std::shared_ptr<const RestrictionList> Lists::from_table(std::string_view text, Phase phase) {
    std::string key = std::to_string(static_cast<int>(access_step(phase))) + std::string(text);
    if (auto known = from_tables_.find(key); known != from_tables_.end())
        return known->second;
    if (from_tables_.size() >= 1000)
        from_tables_.clear();
    return from_tables_[key] = std::make_shared<const RestrictionList>(compile("access table", text, phase, false));
}

RestrictionList Lists::compile(std::string_view title, std::string_view text, Phase phase, bool tables_allowed) {
    RestrictionList out;
    std::vector<std::string_view> pieces = bytes::split_outside_braces(text, ", \t\r\n");
    auto broken = [&](std::string_view name, const std::string& why) {
        maillog::warning("{}: {}", title, why);
        out.steps.push_back(Restriction{Step::broken, std::string(name)});
    };
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        std::string_view name = pieces[i];
        if (name.size() > 1 && name.front() == '{' && name.back() == '}')
            name = bytes::trim(name.substr(1, name.size() - 2));
        const Word* word = find_word(name);
        Restriction r{Step::broken, std::string(name)};
        if (!word && is_table(name)) {
            if (!tables_allowed) {
                broken(name, "access table has entry with lookup table: " + std::string(name));
                continue;
            }
            r.step = access_step(phase);
            r.argument = name;
            r.table = table(name);
            out.steps.push_back(std::move(r));
            continue;
        }
        if (!word && std::find(class_names_.begin(), class_names_.end(), name) != class_names_.end()) {
            r.step = Step::members;
            r.members = restriction_class(r.name, phase);
            out.steps.push_back(std::move(r));
            continue;
        }
        if (!word && among(of_sasl, name)) {
            if (sasl_enabled_)
                broken(name, "restriction \"" + std::string(name) + "\" is not implemented yet");
            else {
                r.step = Step::no_match;
                out.steps.push_back(std::move(r));
            }
            continue;
        }
        if (!word) {
            bool one = among(with_argument, name);
            broken(name, one || among(without_argument, name)
                             ? "restriction \"" + std::string(name) + "\" is not implemented yet"
                             : "unknown smtpd restriction: \"" + std::string(name) + "\"");
            if (one)
                ++i;
            continue;
        }
        r.step = word->step;
        if (word->needs != Needs::nothing) {
            std::string_view argument = i + 1 < pieces.size() ? pieces[i + 1] : std::string_view();
            bool fits = !argument.empty() && (word->needs != Needs::table || is_table(argument));
            if (!fits) {
                broken(name, word->needs == Needs::table ? "restriction " + r.name + ": bad argument \"" +
                                                               std::string(argument) + "\": need maptype:mapname"
                             : word->needs == Needs::number
                                 ? "restriction " + r.name + " must be followed by number"
                                 : "restriction " + r.name + " requires domain name argument");
                continue;
            }
            ++i;
            r.argument = argument;
            if (word->needs == Needs::table) {
                if (!tables_allowed) {
                    broken(name, "access table has entry with lookup table: " + r.argument);
                    continue;
                }
                r.table = table(argument);
            } else if (word->needs == Needs::number) {
                auto n = bytes::to_int(argument);
                if (!n || *n < 0 || *n > 3600) {
                    broken(name, "restriction " + r.name + " must be followed by number");
                    continue;
                }
                r.number = static_cast<int>(*n);
            } else if (word->needs == Needs::certificate_search) {
                auto search = CertificateSearch::parse(argument);
                if (!search) {
                    broken(name, r.name + ": " + search.error().reason);
                    continue;
                }
                if (!tables_allowed) {
                    broken(name, "access table has entry with lookup table: " + search->table);
                    continue;
                }
                r.argument = search->table;
                r.table = table(search->table);
                r.certificate_keys = std::make_shared<const std::vector<CertificateKey>>(std::move(search->keys));
            } else {
                auto list = DnsList::parse(argument);
                if (!list) {
                    broken(name, r.name + ": " + list.error().reason);
                    continue;
                }
                r.list = std::make_shared<const DnsList>(std::move(*list));
            }
        }
        bool last_word = r.step == Step::permit || r.step == Step::reject || r.step == Step::defer;
        if (last_word && i + 1 < pieces.size() && !(out.steps.size() && out.steps.back().step == Step::warn_if_reject))
            maillog::warning("{}: restriction `{}' after `{}' is ignored", title, pieces[i + 1], name);
        out.steps.push_back(std::move(r));
    }
    return out;
}

bool Lists::protects(const RestrictionList& list, int depth) {
    if (depth > 20)
        return false;
    bool warn_only = false;
    for (const Restriction& r : list.steps) {
        bool counts = !warn_only;
        warn_only = r.step == Step::warn_if_reject;
        if (!counts)
            continue;
        switch (r.step) {
        case Step::reject_unauth_destination:
        case Step::defer_unauth_destination:
        case Step::reject:
        case Step::defer:
        case Step::defer_if_permit: return true;
        case Step::members:
            if (protects(*r.members, depth + 1))
                return true;
            break;
        default: break;
        }
    }
    return false;
}

// --- DNS lists

bool DnsList::matches(std::string_view ipv4) const {
    if (octets[0].empty())
        return true;
    std::vector<std::string_view> parts = bytes::split(ipv4, ".");
    if (parts.size() != 4)
        return false;
    for (int i = 0; i < 4; ++i) {
        auto n = bytes::to_int(parts[static_cast<std::size_t>(i)]);
        if (!n || std::none_of(octets[i].begin(), octets[i].end(),
                               [&](const Range& r) { return *n >= r.from && *n <= r.to; }))
            return false;
    }
    return true;
}

// d.d.d.d, each d a number or "[n;n..m]".
Result<DnsList> DnsList::parse(std::string_view text) {
    auto bad = [&] {
        return permanent("bad DNS list \"" + std::string(text.substr(0, 200)) +
                         "\": domain or domain=d.d.d.d is expected, each d a number or [first..last;number]");
    };
    DnsList out;
    auto [domain, filter] = bytes::cut(text, '=');
    if (domain.empty())
        return bad();
    out.domain = domain;
    if (!filter)
        return out;
    std::string_view rest = *filter;
    auto number = [&](unsigned char& n) {
        std::size_t digits = 0;
        while (digits < rest.size() && digits < 4 && bytes::is_digit(rest[digits]))
            ++digits;
        auto value = bytes::to_int(rest.substr(0, digits));
        if (!value || *value > 255)
            return false;
        n = static_cast<unsigned char>(*value);
        rest.remove_prefix(digits);
        return true;
    };
    for (int i = 0; i < 4; ++i) {
        if (i > 0) {
            if (!rest.starts_with('.'))
                return bad();
            rest.remove_prefix(1);
        }
        bool several = rest.starts_with('[');
        if (several)
            rest.remove_prefix(1);
        do {
            Range r{};
            if (!number(r.from))
                return bad();
            r.to = r.from;
            if (several && rest.starts_with("..")) {
                rest.remove_prefix(2);
                if (!number(r.to) || r.to < r.from)
                    return bad();
            }
            out.octets[i].push_back(r);
        } while (several && rest.starts_with(';') && (rest.remove_prefix(1), true));
        if (several) {
            if (!rest.starts_with(']'))
                return bad();
            rest.remove_prefix(1);
        }
    }
    if (!rest.empty())
        return bad();
    return out;
}
}
