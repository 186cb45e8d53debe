#include "tls/policy.h"
#include <fmt/format.h>
#include <algorithm>
#include <set>
#include "base/bytes.h"
#include "conf/params/lmtp.h"
#include "conf/params/smtp.h"
#include "log/log.h"
#include "mail/address.h"
#include "table/address_lookup.h"
#include "tls/match.h"

namespace tls {
namespace {
constexpr const char* blanks = " \t\r\n,";
constexpr std::size_t attributes_limit = 1000, remembered_limit = 1000;
constexpr std::chrono::seconds remembered_time{
    3600};  // at most: processes of Postfix, which remember as long as they live, do not live longer

Failure problem() { return temporary("client TLS configuration problem", {4, 7, 5}); }

std::vector<std::string> words(std::string_view text, const char* separators) {
    std::vector<std::string> list;
    for (std::string_view w : bytes::split(text, separators))
        list.emplace_back(w);
    return list;
}

bool good_server_name(const std::string& name) {
    return name.empty() || name == "hostname" || name == "nexthop" || mail::valid_hostname(name);
}

// One name=value of a table's entry into the policy. What is wrong with it, or nothing.
class Attributes {
public:
    explicit Attributes(Policy& policy) : policy_(policy) {}
    std::optional<std::string> take(std::string_view word) {
        if (word.starts_with("{") && word.ends_with("}"))
            word = bytes::trim(word.substr(1, word.size() - 2));
        auto [raw_name, raw_value] = bytes::cut(word, '=');
        if (!raw_value)
            return fmt::format("malformed attribute/value pair \"{}\": missing '=' after attribute name",
                               bytes::printable(word));
        std::string name = bytes::lowered(bytes::trim(raw_name)), value(bytes::trim(*raw_value));
        if (name == "exclude")
            return once(name, [&] { policy_.exclude = spaced(value); });
        if (value.empty())
            return fmt::format("attribute \"{}\" has empty value", name);
        if (name == "protocols")
            return once(name, [&] { policy_.protocols = spaced(value); });
        if (name == "ciphers")
            return once(name, [&] { policy_.ciphers = value; });
        if (name == "match")
            return match(name, value);
        if (name == "tafile")
            return anchors(name, value);
        if (name == "servername") {
            if (!good_server_name(value))
                return fmt::format("\"servername={}\" specifies an invalid hostname", bytes::printable(value));
            return once(name, [&] { policy_.server_name = value; });
        }
        if (name == "connection_reuse")
            return yes_or_no(name, value, policy_.connection_reuse);
        if (name == "enable_rpk")
            return yes_or_no(name, value, policy_.raw_public_keys);
        if (name == "minbits") {
            if (policy_.level == Level::may)
                return wrong_level(name);  // what may go in the clear cannot be too weak
            auto bits = bytes::to_int(value);
            if (!bits || *bits < 0 || *bits > 1024)
                return bad_value(name, value);
            return once(name, [&] { policy_.minimum_bits = static_cast<int>(*bits); });
        }
        return sts(name, value);
    }

private:
    static std::string spaced(std::string value) {
        std::replace(value.begin(), value.end(), ':', ' ');
        return value;
    }
    static std::string bad_value(const std::string& name, std::string_view value) {
        return fmt::format("attribute \"{}\" has bad value: \"{}\"", name, bytes::printable(value));
    }
    std::string wrong_level(const std::string& name) const {
        return fmt::format("attribute \"{}\" invalid at security level \"{}\"", name, name_of(policy_.level));
    }
    template <class Set> std::optional<std::string> once(const std::string& name, Set set) {
        if (!seen_.insert(name).second)
            return fmt::format("attribute \"{}\" is specified multiple times", name);
        set();
        return std::nullopt;
    }
    std::optional<std::string> yes_or_no(const std::string& name, const std::string& value, bool& flag) {
        if (!bytes::iequals(value, "yes") && !bytes::iequals(value, "no"))
            return bad_value(name, value);
        return once(name, [&] { flag = bytes::iequals(value, "yes"); });
    }
    std::optional<std::string> match(const std::string& name, const std::string& value) {
        bool fingerprints = policy_.level == Level::fingerprint;
        if (!fingerprints && policy_.level != Level::verify && policy_.level != Level::secure)
            return wrong_level(name);
        if (seen_.insert(name).second)
            policy_.match.clear();
        for (std::string& one : words(value, fingerprints ? "|" : ":"))
            policy_.match.push_back(std::move(one));
        return std::nullopt;
    }
    std::optional<std::string> anchors(const std::string& name, const std::string& file) {
        if (policy_.level != Level::verify && policy_.level != Level::secure)
            return wrong_level(name);
        auto loaded = load_anchors(file);
        if (!loaded)
            return loaded.error().reason;
        if (seen_.insert(name).second)
            policy_.anchors.clear();
        policy_.anchors.insert(policy_.anchors.end(), loaded->begin(), loaded->end());
        return std::nullopt;
    }
    std::optional<std::string> sts(const std::string& name, const std::string& value) {
        static const std::set<std::string_view> known{"policy_type",   "policy_domain",   "policy_ttl",
                                                      "policy_string", "mx_host_pattern", "policy_failure"};
        if (!known.count(name))
            return fmt::format("invalid attribute name: \"{}\"", bytes::printable(name));
        bool dane = policy_.level == Level::dane || policy_.level == Level::dane_only;
        if (dane || policy_.level == Level::fingerprint)
            return wrong_level(name);  // no such policy comes from MTA-STS
        if (!policy_.sts)
            policy_.sts.emplace();
        Sts& s = *policy_.sts;
        if (name == "policy_string")
            s.lines.push_back(value);
        else if (name == "mx_host_pattern")
            s.hosts.push_back(bytes::lowered(value));
        else if (name == "policy_domain")
            return once(name, [&] { s.domain = bytes::lowered(value); });
        else if (name == "policy_type") {
            auto type = ipc::tlsrpt::parse_policy_type(bytes::lowered(value));
            if (!type || type == ipc::tlsrpt::PolicyType::tlsa)
                return bad_value(name, value);
            return once(name, [&] { s.found = type == ipc::tlsrpt::PolicyType::sts; });
        } else if (name == "policy_ttl") {
            auto seconds = bytes::to_int(value);
            if (!seconds || *seconds < 0)
                return bad_value(name, value);
            return once(
                name, [&] { s.ttl = std::chrono::seconds(std::min<std::int64_t>(*seconds, remembered_time.count())); });
        } else {
            using ipc::tlsrpt::ResultType;
            auto why = ipc::tlsrpt::parse_result_type(bytes::lowered(value));
            bool fits = why == ResultType::sts_policy_fetch_error || why == ResultType::sts_policy_invalid ||
                        why == ResultType::sts_webpki_invalid || why == ResultType::validation_failure;
            if (!fits)
                return bad_value(name, value);
            return once(name, [&] { s.failure = why; });
        }
        return std::nullopt;
    }

    Policy& policy_;
    std::set<std::string> seen_;
};
}

bool sts_pattern_matches(std::string_view pattern, std::string_view host) {
    if (pattern.starts_with("*."))
        pattern.remove_prefix(1);
    if (!pattern.starts_with("."))
        return bytes::iequals(pattern, host);
    return host.size() > pattern.size() && bytes::iends_with(host, pattern) &&
           host.substr(0, host.size() - pattern.size()).find('.') == host.npos;
}

bool names_host(const Sts& sts, std::string_view host) {
    return sts.hosts.empty() || std::any_of(sts.hosts.begin(), sts.hosts.end(),
                                            [&](const std::string& p) { return sts_pattern_matches(p, host); });
}

Result<Policies> Policies::open(const conf::Settings& settings, bool lmtp) {
    Policies p(settings, lmtp);
    const std::string& written = p.text(param::smtp_tls_security_level, param::lmtp_tls_security_level);
    Level level = Level::none;
    if (bytes::trim(written).empty()) {
        if (settings[lmtp ? param::lmtp_enforce_tls : param::smtp_enforce_tls])
            level = settings[lmtp ? param::lmtp_tls_enforce_peername : param::smtp_tls_enforce_peername]
                        ? Level::verify
                        : Level::encrypt;
        else if (settings[lmtp ? param::lmtp_use_tls : param::smtp_use_tls])
            level = Level::may;
    } else if (auto parsed = parse_level(bytes::trim(written))) {
        level = *parsed;
    } else {
        return permanent(fmt::format("{}_tls_security_level = {}: expected none, may, encrypt, dane, dane-only, "
                                     "fingerprint, verify or secure",
                                     lmtp ? "lmtp" : "smtp", written),
                         {5, 3, 5});
    }
    const conf::Text& maps = lmtp ? param::lmtp_tls_policy_maps : param::smtp_tls_policy_maps;
    const conf::Text& per_site = lmtp ? param::lmtp_tls_per_site : param::smtp_tls_per_site;
    p.maps_ = table::Maps::open(maps.name, settings[maps]);
    if (p.maps_.empty())
        p.per_site_ = table::Maps::open(per_site.name, settings[per_site]);
    else if (!settings[per_site].empty())
        maillog::warning("{} ignored when {} is not empty.", per_site.name, maps.name);
    p.dnssec_ = p.text(param::smtp_dns_support_level, param::lmtp_dns_support_level) == "dnssec";
    p.sts_patterns_ =
        settings[lmtp ? param::lmtp_tls_enforce_sts_mx_patterns : param::smtp_tls_enforce_sts_mx_patterns];
    for (const std::string& file :
         words(p.text(param::smtp_tls_trust_anchor_file, param::lmtp_tls_trust_anchor_file), blanks)) {
        auto anchors = load_anchors(file);
        if (anchors)
            p.default_.anchors.insert(p.default_.anchors.end(), anchors->begin(), anchors->end());
        else
            p.anchors_problem_ = anchors.error().reason;
    }
    const std::string& name = p.text(param::smtp_tls_servername, param::lmtp_tls_servername);
    if (!good_server_name(name))
        return permanent(fmt::format("{}_tls_servername = {}: expected a host name, hostname or nexthop",
                                     lmtp ? "lmtp" : "smtp", bytes::printable(name)),
                         {5, 3, 5});
    p.default_.server_name = name;
    p.default_.digest = p.text(param::smtp_tls_fingerprint_digest, param::lmtp_tls_fingerprint_digest);
    p.default_.connection_reuse = settings[lmtp ? param::lmtp_tls_connection_reuse : param::smtp_tls_connection_reuse];
    p.default_.raw_public_keys = settings[lmtp ? param::lmtp_tls_enable_rpk : param::smtp_tls_enable_rpk];
    p.default_ = p.of_level(level);
    return p;
}

Policy Policies::of_level(Level level) const {
    Policy p = default_;
    p.level = level;
    p.match.clear();
    if (level == Level::verify)
        p.match = words(text(param::smtp_tls_verify_cert_match, param::lmtp_tls_verify_cert_match), " \t\r\n,:");
    if (level == Level::secure)
        p.match = words(text(param::smtp_tls_secure_cert_match, param::lmtp_tls_secure_cert_match), " \t\r\n,:");
    if (level == Level::fingerprint)
        p.match =
            words(text(param::smtp_tls_fingerprint_cert_match, param::lmtp_tls_fingerprint_cert_match), " \t\r\n,|");
    return p;
}

Result<std::optional<std::string>> Policies::entry(const Site& site) const {
    TRY_ASSIGN(auto hit, maps_.find(site.key));
    if (hit || !site.domain)
        return hit;
    TRY_ASSIGN(auto match, table::find_domain(maps_, site.key, table::Parents::dotted));
    return match ? std::optional(match->value) : std::nullopt;
}

Result<Policy> Policies::parse(const Site& site, const std::string& value) const {
    auto complain = [&](const std::string& what) {
        maillog::warning("{}, next-hop destination \"{}\": {}", maps_.title(), site.key, what);
        return problem();
    };
    auto list = bytes::split_outside_braces(value, blanks);
    if (list.empty())
        return complain("invalid empty policy");
    if (list.size() > attributes_limit)
        return complain("too many attributes");
    auto level = parse_level(list[0]);
    if (!level)
        return complain(fmt::format("invalid security level \"{}\"", bytes::printable(list[0])));
    Policy policy = of_level(*level);
    Attributes attributes(policy);
    for (std::size_t i = 1; i < list.size(); ++i) {
        if (*level == Level::none)
            (void)complain(fmt::format("ignoring attribute \"{}\" with TLS disabled", bytes::printable(list[i])));
        else if (auto wrong = attributes.take(list[i]))
            return complain(*wrong);
    }
    return policy;
}

// What cannot be, whatever it came from.
Result<void> Policies::check(Policy& policy) const {
    const Site& site = policy.site;
    if (site.path && (policy.level == Level::may || policy.level == Level::dane)) {
        maillog::warning("{}: opportunistic TLS encryption is not appropriate for unix-domain destinations.", site.key);
        policy.level = Level::none;
    }
    if ((policy.level == Level::dane || policy.level == Level::dane_only) && !dnssec_) {
        maillog::warning("{}: {} configured with dnssec lookups disabled", site.key, name_of(policy.level));
        if (policy.level == Level::dane_only)
            return problem();
        policy = policy.without_tlsa ? Policy(*policy.without_tlsa) : policy;
        if (policy.level == Level::dane)
            policy.level = Level::may;
    }
    if ((policy.level == Level::verify || policy.level == Level::secure) && policy.anchors == default_.anchors &&
        !anchors_problem_.empty()) {
        maillog::warning("{}", anchors_problem_);
        return problem();
    }
    if (policy.level == Level::fingerprint) {
        bool any = false;
        for (const std::string& text : policy.match) {
            if (parse_fingerprint(text))
                any = true;
            else
                maillog::warning("malformed fingerprint value: {}", bytes::printable(text));
        }
        if (any)
            return {};
        maillog::warning(
            "nexthop domain {}: configured at fingerprint security level, but with no fingerprints to match.",
            site.key);
        return problem();
    }
    return {};
}

Result<std::optional<Level>> Policies::per_site(const std::string& key) const {
    TRY_ASSIGN(auto hit, per_site_.find(key));
    if (!hit)
        return std::optional<Level>();
    if (bytes::iequals(*hit, "NONE"))
        return std::optional(Level::none);
    if (bytes::iequals(*hit, "MAY"))
        return std::optional(Level::may);
    if (bytes::iequals(*hit, "MUST_NOPEERMATCH"))
        return std::optional(Level::encrypt);
    if (bytes::iequals(*hit, "MUST"))
        return std::optional(Level::verify);
    maillog::warning("{}: unknown TLS policy \"{}\" for {}", per_site_.title(), bytes::printable(*hit), key);
    return problem();
}

void Policies::remember(const Policy& policy) const {
    auto now = loop::Clock::now();
    if (remembered_.size() >= remembered_limit &&
        now >= next_sweep_) {  // not for each site that comes while it is full
        std::erase_if(remembered_, [now](const auto& one) { return now >= one.second.until; });
        next_sweep_ = now + std::chrono::seconds(10);
    }
    if (remembered_.size() < remembered_limit || remembered_.count(policy.site.key))
        remembered_[policy.site.key] = {policy, now + policy.sts->ttl};
}

Result<Policy> Policies::find(const Site& site) const {
    auto look = [&]() -> Result<Policy> {
        if (auto it = remembered_.find(site.key); it != remembered_.end() && loop::Clock::now() < it->second.until)
            return it->second.policy;
        TRY_ASSIGN(auto value, entry(site));
        if (value) {
            TRY_ASSIGN(Policy policy, parse(site, *value));
            policy.site = site;
            if (policy.sts && policy.sts->ttl.count() > 0)
                remember(policy);
            return policy;
        }
        if (source_ && (default_.level == Level::may || default_.level == Level::dane)) {
            TRY_ASSIGN(auto found, source_(site));
            if (found)
                found->site = site;
            if (found && default_.level == Level::may)
                return std::move(*found);
            if (found) {
                Policy policy = default_;
                policy.without_tlsa = std::make_shared<const Policy>(std::move(*found));
                return policy;
            }
        }
        return default_;
    };
    auto policy = look();
    if (policy) {
        policy->site = site;
        if (auto good = check(*policy); !good)
            policy = tl::unexpected(std::move(good.error()));
    }
    if (!policy) {
        maillog::warning("TLS policy lookup for {}/{}: {}", site.key, site.nexthop, policy.error().reason);
        return problem();
    }
    return policy;
}

// The tables say NONE, MAY, MUST_NOPEERMATCH or MUST of destination and host. The more secure of both holds, NONE
// rather than MAY; and so for main.cf's level, which yields to all but MAY.
Result<Policy> Policies::for_host(const Policy& policy, const std::string& host) const {
    const Site& site = policy.site;
    Policy here = policy;
    if (!per_site_.empty()) {
        std::optional<Level> level;
        for (const std::string* key : {&site.key, &host}) {
            auto found = per_site(*key);
            if (!found) {
                maillog::warning("TLS policy lookup for {}/{}: {}", site.key, host, found.error().reason);
                return problem();
            }
            if (!*found || (key == &host && host == site.key))
                continue;
            auto rank = [](Level l) {
                return l == Level::may ? 0 : l == Level::none ? 1 : l == Level::encrypt ? 2 : 3;
            };
            if (!level || rank(**found) > rank(*level))
                level = *found;
        }
        if (level && !(*level == Level::may && default_.level != Level::none)) {
            here = of_level(*level);
            here.site = site;
            if (auto good = check(here); !good)
                return tl::unexpected(std::move(good.error()));
        }
    }
    if (here.sts && here.sts->testing && !names_host(*here.sts, host))
        maillog::info("MTA-STS testing: {}: the policy does not name the mail server {}", here.sts->domain, host);
    bool proved = here.level == Level::verify || here.level == Level::secure;
    if (!proved || !here.sts || here.sts->hosts.empty() || !(sts_patterns_ || here.sts->built_in))
        return here;
    if (!names_host(*here.sts, host))
        return temporary(fmt::format("the MTA-STS policy of {} does not name the mail server {}",
                                     here.sts->domain.empty() ? site.nexthop : here.sts->domain, host),
                         {4, 7, 5});
    here.match = {"hostname"};
    here.server_name = "hostname";
    return here;
}

bool unmeetable(const Policy& policy) { return policy.sts && policy.sts->failure && verified(policy.level); }

Demand demand_of(const Policy& policy, const std::string& host) {
    const Site& site = policy.site;
    Demand d;
    d.level = d.policy_level = policy.level;
    d.mandatory = mandatory(policy.level);
    d.protocols = policy.protocols;
    d.ciphers = policy.ciphers;
    d.exclude = policy.exclude;
    d.server_name = policy.server_name == "hostname"  ? host
                    : policy.server_name == "nexthop" ? site.nexthop
                                                      : policy.server_name;
    d.raw_public_keys = policy.raw_public_keys;
    d.minimum_bits = policy.minimum_bits;
    switch (policy.level) {
    case Level::verify:
    case Level::secure:
        d.names = expected_names(policy.match, site.nexthop, host);
        d.records = policy.anchors;
        break;
    case Level::fingerprint:
        d.digest = policy.digest;
        for (const std::string& text : policy.match)
            if (auto octets = parse_fingerprint(text))
                for (std::uint8_t selector : {0, 1})
                    d.records.push_back({3, selector, Tlsa::fingerprint_type, *octets});
        break;
    case Level::dane:
    case Level::half_dane:
    case Level::dane_only: d.names = expected_names({"nexthop", "hostname"}, site.nexthop, host); break;
    case Level::none:
    case Level::may:
    case Level::encrypt: break;
    }
    if (!policy.sts)
        return d;
    d.public_authorities = policy.sts->built_in;
    d.unmeetable = unmeetable(policy);
    if (policy.sts->testing) {  // the library compares; nothing comes of it but a line in the log
        d.testing_for = policy.sts->domain;
        d.names = {bytes::lowered(host)};
        d.server_name = host;
    }
    return d;
}
}
