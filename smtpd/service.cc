#include "service.h"
#include <algorithm>
#include <utility>
#include "base/bytes.h"
#include "conf/params/bounce.h"
#include "conf/params/cleanup.h"
#include "conf/params/global.h"
#include "conf/params/smtpd.h"
#include "conf/params/virtual.h"
#include "ipc/cleanup.h"
#include "keywords.h"
#include "log/log.h"
#include "mail/address.h"
#include "tls/server_context.h"
#include "to_queue.h"

namespace smtpd {
using table::MatchList;

namespace {
// Characters, with the escapes of C.
std::bitset<256> read_characters(std::string_view text) {
    std::bitset<256> set;
    for (const char c : bytes::unescaped(text))
        set.set(static_cast<unsigned char>(c));
    return set;
}
}

std::string Service::censored(std::string text) const {
    for (char& c : text)
        if (!expansion_characters_[static_cast<unsigned char>(c)])
            c = '_';
    return text;
}

static constexpr std::chrono::seconds anvil_patience(10);  // a client is not limited then

Service::Service(const conf::Settings& settings)
    : cleanup("public/" + settings[param::cleanup_service_name], settings),
      flush("public/" + settings[param::flush_service_name], settings),
      rewrite(settings),
      anvil("private/anvil", anvil_patience),
      settings_(settings),
      stressed_(settings) {}
Service::~Service() = default;

Result<std::unique_ptr<Service>> Service::open(const conf::Settings& settings, Resolver resolver) {
    std::unique_ptr<Service> s(new Service(settings));
    s->resolver = std::move(resolver);
    if (!s->resolver.query)
        s->resolver.query = [](std::string_view name, dns::Type type) {
            return dns::query(name, type, {.deadline = loop::in(std::chrono::seconds(60))});
        };
    if (!s->resolver.client_name)
        s->resolver.client_name = [](const std::string& address, bool look_up) {
            if (!look_up)
                return dns::ClientName{"unknown", "unknown", dns::NameStatus::permanent, dns::NameStatus::permanent};
            return dns::client_name(address, {.deadline = loop::in(std::chrono::seconds(60))});
        };
    TRY(s->read());
    s->open_tables();
    TRY(s->open_lists());
    s->open_tls();
    return s;
}

Result<void> Service::read() {
    const conf::Settings& s = settings_;
    if (auto under_stress = s.with({{"stress", "yes"}}))
        stressed_ = std::move(*under_stress);
    if (!s[param::service_name].empty())
        service_ident = s[param::service_name];
    external_log_form = s[param::info_log_address_format] != "internal";

    const std::string mode = bytes::lowered(s[param::smtpd_forbid_bare_newline]);
    if (mode == "no")
        bare_newline = BareNewline::no;
    else if (mode == "yes" || mode == "normalize")
        bare_newline = BareNewline::normalize;
    else if (mode == "note")
        bare_newline = BareNewline::note;
    else if (mode == "reject")
        bare_newline = BareNewline::reject;
    else
        return permanent("parameter smtpd_forbid_bare_newline: bad value \"" + mode +
                         "\": normalize, note, reject, yes or no is expected");

    const std::string& proxy = s[param::smtpd_upstream_proxy_protocol];
    if (!proxy.empty() && proxy != "haproxy")
        return permanent("parameter smtpd_upstream_proxy_protocol: unknown protocol \"" + proxy +
                         "\": haproxy is expected");

    for (std::string_view word : bytes::split(s[param::smtpd_noop_commands], ", \t\r\n"))
        noop_commands.push_back(bytes::uppered(word));
    permit_actions = table::MatchList::open("smtpd_log_access_permit_actions",
                                            s[param::smtpd_log_access_permit_actions], table::MatchList::Kind::strings);
    discarded_ = parse_keywords(s[param::smtpd_discard_ehlo_keywords], "smtpd_discard_ehlo_keywords");

    for (std::string_view word : bytes::split(s[param::notify_classes], ", \t\r\n"))
        notify |= word == "policy"     ? notify_policy
                  : word == "protocol" ? notify_protocol
                  : word == "resource" ? notify_resource
                  : word == "software" ? notify_software
                                       : 0u;

    expansion_characters_ = read_characters(s[param::smtpd_expansion_filter]);
    TRY_ASSIGN(const ipc::ReceiveOverrides overrides, ipc::receive_overrides(s));
    cleanup_flags = overrides.flags;
    no_unknown_recipient_checks = overrides.unknown_recipients;
    return {};
}

void Service::open_tables() {
    const conf::Settings& s = settings_;
    auto maps = [&](const conf::Text& p) { return table::Maps::open(p.name, s[p]); };
    local_recipients = maps(param::local_recipient_maps);
    virtual_aliases = maps(param::virtual_alias_maps);
    virtual_mailboxes = maps(param::virtual_mailbox_maps);
    relay_recipients = maps(param::relay_recipient_maps);
    canonical = maps(param::canonical_maps);
    sender_canonical = maps(param::sender_canonical_maps);
    recipient_canonical = maps(param::recipient_canonical_maps);
    rbl_replies = maps(param::rbl_reply_maps);
    footer_maps = maps(param::smtpd_reject_footer_maps);
    reject_filter = maps(param::smtpd_reject_filter_maps);
    command_filter = maps(param::smtpd_command_filter);
    ehlo_keyword_maps = maps(param::smtpd_discard_ehlo_keyword_address_maps);
    relay_certificates = maps(param::relay_clientcerts);
    auto hosts = [&](const conf::Text& p) {
        return MatchList::open(p.name, s[p], MatchList::Kind::hosts, table::parents_of(s, p.name));
    };
    mynetworks = hosts(param::mynetworks);
    limit_exceptions = hosts(param::smtpd_client_event_limit_exceptions);
    xclient_hosts = hosts(param::smtpd_authorized_xclient_hosts);
    xforward_hosts = hosts(param::smtpd_authorized_xforward_hosts);
    backup_networks = hosts(param::permit_mx_backup_networks);
    verp_clients = hosts(param::smtpd_authorized_verp_clients);
    bare_newline_exclusions = hosts(param::smtpd_forbid_bare_newline_exclusions);
    forbidden_commands =
        MatchList::open("smtpd_forbidden_commands", s[param::smtpd_forbidden_commands], MatchList::Kind::strings);
    local_domains = table::LocalDomains::open(s);
    access_parents = table::parents_of(s, "smtpd_access_maps");
    rewrite_clients.open(s);
}

Result<void> Service::open_lists() {
    const conf::Settings& s = settings_;
    lists.open(settings_);
    auto compiled = [&](const conf::Text& p, Phase phase) { return lists.compile(p.name, s[p], phase); };
    rules.client = compiled(param::smtpd_client_restrictions, Phase::client);
    rules.helo = compiled(param::smtpd_helo_restrictions, Phase::helo);
    rules.sender = compiled(param::smtpd_sender_restrictions, Phase::sender);
    rules.relay = compiled(param::smtpd_relay_restrictions, Phase::relay);
    rules.recipient = compiled(param::smtpd_recipient_restrictions, Phase::recipient);
    rules.data = compiled(param::smtpd_data_restrictions, Phase::data);
    rules.end_of_data = compiled(param::smtpd_end_of_data_restrictions, Phase::end_of_data);
    rules.etrn = compiled(param::smtpd_etrn_restrictions, Phase::etrn);
    lists.open_classes();
    if (!Lists::protects(rules.relay) && !Lists::protects(rules.recipient))
        return permanent("in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one "
                         "working instance of: "
                         "reject_unauth_destination, defer_unauth_destination, reject, defer, defer_if_permit or "
                         "check_relay_domains");
    return {};
}

void Service::open_tls() {
    const conf::Settings& s = settings_;
    const bool tls_wrapper = s[param::smtpd_tls_wrappermode];
    if (!tls_wrapper)
        no_memory = "421 4.3.0 " + s[param::myhostname] + " Error: insufficient memory\r\n";
    const std::string level = bytes::lowered(s[param::smtpd_tls_security_level]);
    if (level.empty())
        tls_level = s[param::smtpd_enforce_tls] ? TlsLevel::encrypt
                    : s[param::smtpd_use_tls]   ? TlsLevel::may
                                                : TlsLevel::none;
    else if (level == "none")
        tls_level = TlsLevel::none;
    else if (level == "may")
        tls_level = TlsLevel::may;
    else {
        if (level != "encrypt")
            maillog::warning("smtpd_tls_security_level: unsupported TLS level \"{}\", using \"encrypt\"", level);
        tls_level = TlsLevel::encrypt;
    }
    auth_needs_tls = s[param::smtpd_tls_auth_only] || tls_level == TlsLevel::encrypt;
    if (tls_level == TlsLevel::none && !tls_wrapper)
        return;
    auto context = tls::ServerContext::create(s, tls_level == TlsLevel::encrypt || tls_wrapper);
    if (!context) {
        tls_problem = context.error().reason;
        return;
    }
    tls = std::move(*context);
    tls_usable = true;
}

unsigned Service::discarded_keywords(const std::string& client_address) const {
    if (ehlo_keyword_maps.empty())
        return discarded_;
    auto found = ehlo_keyword_maps.find(client_address);
    if (!found)
        maillog::warning("smtpd_discard_ehlo_keyword_address_maps: {}", found.error().reason);
    else if (*found)
        return parse_keywords(**found, "smtpd_discard_ehlo_keyword_address_maps");
    return discarded_;
}

// --- where addresses go

bool Service::plainly_valid(std::string_view address) const {
    return mail::is_plain(address) && mail::valid_hostname(*mail::split_address(address).domain);
}

Result<ipc::ResolveReply> Service::resolve(std::string_view sender, std::string_view address) {
    if (mail::is_plain(address))
        return rewrite.resolve(sender, address);
    TRY_ASSIGN(std::string standard, rewrite.rewrite("local", mail::to_external(address)));
    return rewrite.resolve(sender, mail::to_internal(standard));
}
}
