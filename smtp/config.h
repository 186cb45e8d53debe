// What the client does, from smtp_* or, run as lmtp, lmtp_*: read once at start, so that the rest of the program does
// not care which.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "conf/network.h"
#include "conf/settings.h"
#include "net/address.h"
#include "mta_sts.h"
#include "requiretls.h"
#include "table/local_domains.h"
#include "table/maps.h"
#include "table/match_list.h"
#include "tls/client_context.h"
#include "tls/policy.h"
#include "tls/tlsmgr_store.h"
#include "tlsrpt.h"

namespace smtp {
using Seconds = std::chrono::seconds;

struct Timeouts {
    Seconds connect, helo, starttls, xforward, mail, rcpt, data_init, data_xfer, data_done, rset, quit;
};
enum class Preference : std::uint8_t { any, ipv4, ipv6 };
enum class HostLookup : std::uint8_t { dns, native };
enum class DnsLevel : std::uint8_t { disabled, enabled, dnssec };

struct Config {
    // Before the jail, as root: opens tables, reads keys. An Error is fatal.
    static Result<std::unique_ptr<Config>> load(const conf::Settings& settings, bool lmtp);

    conf::Settings settings;
    bool lmtp;
    const char* protocol() const { return lmtp ? "LMTP" : "SMTP"; }

    // where to
    std::string port;                       // default port, a number
    std::string relayhost, fallback_relay;  // lists
    std::string_view fallback_relay_name;   // the parameter's
    std::string myhostname, helo_name;
    std::vector<HostLookup> host_lookup;
    DnsLevel dns_level;
    bool own_domain = false, search = false;  // smtp_dns_resolver_options
    conf::Families families;                  // inet_protocols
    Preference preference;
    bool randomize, balance, defer_without_mx_address, ignore_mx_error, cname_overrides;
    std::size_t address_limit, session_limit;  // 0: none
    std::string srv_services;                  // use_srv_lookup
    bool srv_fallback, srv_ignore_error;
    std::string best_mx_transport;
    net::Address bind4{}, bind6{};  // unspecified: the system chooses
    bool bind_enforce;              // rather defer than leave from another address
    table::LocalDomains local;      // loops to ourselves
    table::Maps dns_reply_filter;

    // the dialogue
    Timeouts timeouts;
    bool per_request_deadline;
    std::int64_t min_data_rate;
    bool always_ehlo, never_ehlo, skip_5xx, skip_quit_response, quote_envelope, probe_data, send_xforward, assume_final;
    std::size_t line_limit;  // of content lines; 0: none
    std::string discard_keywords, pix_workarounds;
    table::Maps discard_maps, pix_maps, reply_filter;
    Seconds pix_threshold, pix_delay;

    // content
    table::Maps generic, header_checks, mime_header_checks, nested_header_checks, body_checks;
    bool propagate_generic, convert_8bit;
    std::string recipient_delimiter, myorigin;
    std::size_t header_size_limit, mime_nesting_limit, mime_boundary_limit, body_checks_limit;

    // connections kept
    bool cache_on_demand;
    table::MatchList cache_destinations;
    Seconds cache_time, reuse_time;
    std::int64_t reuse_count;

    // TLS
    bool wrapper_mode, log_tls, note_starttls, block_early_reply, fast_shutdown;
    std::optional<tls::Policies> tls_policies;
    std::unique_ptr<MtaSts> mta_sts;                       // null: smtp_tls_mta_sts = none
    std::unique_ptr<TlsReports> tls_reports;               // null: no smtp_tlsrpt_enable
    tls::Level insecure_mx_level = tls::Level::half_dane;  // smtp_tls_dane_insecure_mx_policy
    bool force_tlsa_lookup = false;
    bool require_tls_enabled = true, tls_required_enabled = true;  // requiretls_enable, tls_required_enable
    RequireTlsPolicy require_tls_policy;
    std::shared_ptr<tls::ClientContext> tls;  // null where TLS is off or cannot be had
    std::unique_ptr<tls::TlsmgrStore> sessions;
    Seconds plaintext_after;  // minimal_backoff_time: age of mail that may go without TLS when the handshake fails
    std::string tls_problem;  // why it cannot be had

private:
    explicit Config(const conf::Settings& s) : settings(s) {}
    Result<void> load_names();
    void load_limits();
    void load_content();
    Result<void> load_tls();
};
}
