#include "config.h"
#include <fmt/format.h>
#include <algorithm>
#include "base/bytes.h"
#include "conf/network.h"
#include "conf/params/cleanup.h"
#include "conf/params/global.h"
#include "conf/params/lmtp.h"
#include "conf/params/commands.h"
#include "conf/params/qmgr.h"
#include "conf/params/rewrite.h"
#include "conf/params/smtp.h"
#include "conf/params/smtpd.h"
#include "conf/params/tls.h"
#include "log/log.h"

// The value of smtp_NAME or lmtp_NAME.
#define OURS(which) (lmtp ? settings[param::lmtp_##which] : settings[param::smtp_##which])
#define OURS_NAME(which) (lmtp ? param::lmtp_##which.name : param::smtp_##which.name)

namespace smtp {
namespace {
constexpr const char* list_separators = " \t\r\n,";

Failure bad(std::string_view parameter, std::string_view value, std::string_view wanted) {
    return permanent(fmt::format("{} = {}: expected {}", parameter, value, wanted), {5, 3, 5});
}

Result<net::Address> bind_address(std::string_view parameter, const std::string& text, int family) {
    if (text.empty())
        return net::Address();
    auto address = net::Address::parse(text);
    if (!address || address->family() != family)
        return bad(parameter, text, family == AF_INET ? "an IPv4 address" : "an IPv6 address");
    return *address;
}

// With inet_interfaces naming one address of a family, mail leaves from there too.
net::Address only_interface(const conf::Settings& settings, int family) {
    const std::string& text = settings[param::inet_interfaces];
    if (bytes::iequals(text, "all") || bytes::iequals(text, "loopback-only") || text.empty())
        return {};
    net::Address only;
    int count = 0;
    for (const std::string& own : table::own_addresses(settings)) {
        auto address = net::Address::parse(own);
        if (!address || address->family() != family)
            continue;
        only = *address;
        ++count;
    }
    return count == 1 && !only.loopback() ? only : net::Address();
}
}

Result<std::unique_ptr<Config>> Config::load(const conf::Settings& settings, bool lmtp) {
    std::unique_ptr<Config> c(new Config(settings));
    c->lmtp = lmtp;
    TRY(c->load_names());
    c->load_limits();
    c->load_content();
    TRY(c->load_tls());
    return c;
}

Result<void> Config::load_names() {
    auto number = conf::port_number(settings, OURS(tcp_port));
    if (!number)
        return bad(OURS_NAME(tcp_port), OURS(tcp_port), "a port");
    port = *number;
    relayhost = settings[param::relayhost];
    fallback_relay = OURS(fallback_relay);
    fallback_relay_name = OURS_NAME(fallback_relay);
    myhostname = settings[param::myhostname];
    helo_name = lmtp ? settings[param::lmtp_lhlo_name] : settings[param::smtp_helo_name];
    for (std::string_view word : bytes::split(OURS(host_lookup), list_separators)) {
        if (bytes::iequals(word, "dns"))
            host_lookup.push_back(HostLookup::dns);
        else if (bytes::iequals(word, "native"))
            host_lookup.push_back(HostLookup::native);
        else
            return bad(OURS_NAME(host_lookup), word, "dns or native");
    }
    const std::string& support = OURS(dns_support_level);
    if (support.empty())
        dns_level = settings[param::disable_dns_lookups] ? DnsLevel::disabled : DnsLevel::enabled;
    else if (support == "disabled")
        dns_level = DnsLevel::disabled;
    else if (support == "enabled")
        dns_level = DnsLevel::enabled;
    else if (support == "dnssec")
        dns_level = DnsLevel::dnssec;
    else
        return bad(OURS_NAME(dns_support_level), support, "disabled, enabled or dnssec");
    if (dns_level == DnsLevel::disabled)
        host_lookup = {HostLookup::native};
    for (std::string_view word : bytes::split(OURS(dns_resolver_options), list_separators)) {
        if (bytes::iequals(word, "res_defnames"))
            own_domain = true;
        else if (bytes::iequals(word, "res_dnsrch"))
            search = true;
        else
            return bad(OURS_NAME(dns_resolver_options), word, "res_defnames or res_dnsrch");
    }
    TRY_ASSIGN(families, conf::families(settings[param::inet_protocols]));
    const std::string& wanted = OURS(address_preference);
    if (wanted == "any")
        preference = Preference::any;
    else if (wanted == "ipv4")
        preference = Preference::ipv4;
    else if (wanted == "ipv6")
        preference = Preference::ipv6;
    else
        return bad(OURS_NAME(address_preference), wanted, "any, ipv4 or ipv6");
    TRY_ASSIGN(bind4, bind_address(OURS_NAME(bind_address), OURS(bind_address), AF_INET));
    TRY_ASSIGN(bind6, bind_address(OURS_NAME(bind_address6), OURS(bind_address6), AF_INET6));
    bind_enforce = OURS(bind_address_enforce);
    if (bind4.family() == AF_UNSPEC)
        bind4 = only_interface(settings, AF_INET);
    if (bind6.family() == AF_UNSPEC)
        bind6 = only_interface(settings, AF_INET6);
    local = table::LocalDomains::open(settings);
    dns_reply_filter = table::Maps::open(OURS_NAME(dns_reply_filter), OURS(dns_reply_filter), table::any_bytes());
    return {};
}

void Config::load_limits() {
    randomize = OURS(randomize_addresses);
    balance = OURS(balance_inet_protocols);
    defer_without_mx_address = OURS(defer_if_no_mx_address_found);
    ignore_mx_error = settings[param::ignore_mx_lookup_error];
    cname_overrides = OURS(cname_overrides_servername);
    address_limit = static_cast<std::size_t>(OURS(mx_address_limit));
    session_limit = static_cast<std::size_t>(OURS(mx_session_limit));
    srv_services = settings[param::use_srv_lookup];
    srv_fallback = settings[param::allow_srv_lookup_fallback];
    srv_ignore_error = settings[param::ignore_srv_lookup_error];
    best_mx_transport = settings[param::best_mx_transport];
    timeouts = {OURS(connect_timeout),   lmtp ? settings[param::lmtp_lhlo_timeout] : settings[param::smtp_helo_timeout],
                OURS(starttls_timeout),  OURS(xforward_timeout),
                OURS(mail_timeout),      OURS(rcpt_timeout),
                OURS(data_init_timeout), OURS(data_xfer_timeout),
                OURS(data_done_timeout), OURS(rset_timeout),
                OURS(quit_timeout)};
    per_request_deadline = OURS(per_request_deadline);
    min_data_rate = OURS(min_data_rate);
    always_ehlo = lmtp || settings[param::smtp_always_send_ehlo];
    never_ehlo = !lmtp && settings[param::smtp_never_send_ehlo];
    skip_5xx = OURS(skip_5xx_greeting);
    skip_quit_response = OURS(skip_quit_response);
    quote_envelope = OURS(quote_rfc821_envelope);
    probe_data = bytes::iequals(OURS(address_verify_target), "data");
    send_xforward = OURS(send_xforward_command);
    assume_final = lmtp && settings[param::lmtp_assume_final];
    line_limit = static_cast<std::size_t>(OURS(line_length_limit));
    discard_keywords = lmtp ? settings[param::lmtp_discard_lhlo_keywords] : settings[param::smtp_discard_ehlo_keywords];
    discard_maps = lmtp ? table::Maps::open(param::lmtp_discard_lhlo_keyword_address_maps.name,
                                            settings[param::lmtp_discard_lhlo_keyword_address_maps])
                        : table::Maps::open(param::smtp_discard_ehlo_keyword_address_maps.name,
                                            settings[param::smtp_discard_ehlo_keyword_address_maps]);
    pix_workarounds = OURS(pix_workarounds);
    pix_maps = table::Maps::open(OURS_NAME(pix_workaround_maps), OURS(pix_workaround_maps));
    pix_threshold = OURS(pix_workaround_threshold_time);
    pix_delay = OURS(pix_workaround_delay_time);
    reply_filter = table::Maps::open(OURS_NAME(reply_filter), OURS(reply_filter), table::any_bytes());
    cache_on_demand = OURS(connection_cache_on_demand);
    cache_destinations = table::MatchList::open(OURS_NAME(connection_cache_destinations),
                                                OURS(connection_cache_destinations), table::MatchList::Kind::domains,
                                                table::parents_of(settings, OURS_NAME(connection_cache_destinations)));
    cache_time = OURS(connection_cache_time_limit);
    reuse_time = OURS(connection_reuse_time_limit);
    reuse_count = OURS(connection_reuse_count_limit);
}

void Config::load_content() {
    generic = table::Maps::open(OURS_NAME(generic_maps), OURS(generic_maps));
    header_checks = table::Maps::open(OURS_NAME(header_checks), OURS(header_checks), table::any_bytes());
    mime_header_checks = table::Maps::open(OURS_NAME(mime_header_checks), OURS(mime_header_checks), table::any_bytes());
    nested_header_checks =
        table::Maps::open(OURS_NAME(nested_header_checks), OURS(nested_header_checks), table::any_bytes());
    body_checks = table::Maps::open(OURS_NAME(body_checks), OURS(body_checks), table::any_bytes());
    propagate_generic = settings[param::propagate_unmatched_extensions].find("generic") != std::string::npos;
    convert_8bit = !settings[param::disable_mime_output_conversion];
    recipient_delimiter = settings[param::recipient_delimiter];
    myorigin = settings[param::myorigin];
    header_size_limit = static_cast<std::size_t>(settings[param::header_size_limit]);
    mime_nesting_limit = static_cast<std::size_t>(settings[param::mime_nesting_limit]);
    mime_boundary_limit = static_cast<std::size_t>(settings[param::mime_boundary_length_limit]);
    body_checks_limit = static_cast<std::size_t>(settings[param::body_checks_size_limit]);
}

Result<void> Config::load_tls() {
    plaintext_after = settings[param::minimal_backoff_time];
    wrapper_mode = OURS(tls_wrappermode);
    log_tls = OURS(log_tls_feature_status);
    fast_shutdown = settings[param::tls_fast_shutdown_enable];
    note_starttls = OURS(tls_note_starttls_offer);
    block_early_reply = OURS(tls_block_early_mail_reply);
    const std::string& insecure = settings[param::smtp_tls_dane_insecure_mx_policy];
    if (insecure == "may")
        insecure_mx_level = tls::Level::may;
    else if (insecure == "encrypt")
        insecure_mx_level = tls::Level::encrypt;
    else if (insecure != "dane")
        return bad("smtp_tls_dane_insecure_mx_policy", insecure, "may, encrypt or dane");
    require_tls_enabled = settings[param::requiretls_enable];
    tls_required_enabled = settings[param::tls_required_enable];
    require_tls_policy = RequireTlsPolicy::open(OURS_NAME(requiretls_policy), OURS(requiretls_policy));
    force_tlsa_lookup = OURS(tls_force_insecure_host_tlsa_lookup);
    TRY_ASSIGN(tls_policies, tls::Policies::open(settings, lmtp));
    const std::string& sts = settings[param::smtp_tls_mta_sts];
    if (sts != "none" && sts != "testing" && sts != "enforce")
        return bad("smtp_tls_mta_sts", sts, "none, testing or enforce");
    if (!lmtp && sts != "none") {
        mta_sts = std::make_unique<MtaSts>(settings, sts == "enforce");
        tls_policies->ask_also([this](const tls::Site& site) { return mta_sts->find(*tls_policies, site); });
    }
    if (!tls_policies->any() && !wrapper_mode)
        return {};
    auto context = tls::ClientContext::create(settings, lmtp);
    if (!context) {
        tls_problem = context.error().reason;
        return {};
    }
    tls = std::move(*context);
    tls_reports = TlsReports::open(settings, lmtp);
    if (OURS(tls_session_cache_database).empty())
        return {};
    sessions = std::make_unique<tls::TlsmgrStore>(settings, lmtp ? "lmtp" : "smtp", true);
    tls->keep_sessions_in(sessions.get());
    return {};
}
}
