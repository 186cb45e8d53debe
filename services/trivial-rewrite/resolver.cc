#include "resolver.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "base/time.h"
#include "conf/settings.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/local.h"
#include "conf/params/qmgr.h"
#include "conf/params/rewrite.h"
#include "conf/params/smtpd.h"
#include "conf/params/verify.h"
#include "conf/params/virtual.h"
#include "log/log.h"
#include "mail/address.h"

namespace rewrite {
using ipc::AddressClass;
using ipc::ResolveReply;

namespace {
constexpr std::size_t npos = std::string_view::npos;
// The values decide where mail goes: no $1 from an address that a stranger wrote.
const table::OpenOptions no_substitution{.refuse_substitution = true};

table::MatchList domains(const conf::Settings& settings, const conf::Text& parameter, table::Parents parents) {
    return table::MatchList::open(parameter.name, settings[parameter], table::MatchList::Kind::domains, parents);
}
}

Resolver::Route Resolver::route_of(std::string_view text) {
    std::size_t colon = text.find(':');
    if (colon == npos)
        return {std::string(text), ""};
    return {std::string(text.substr(0, colon)), std::string(bytes::trim(text.substr(colon + 1)))};
}

Resolver::Resolver(const conf::Settings& s, bool probes, table::LocalDomains local_domains)
    : local_(route_of(probes ? s[param::address_verify_local_transport] : s[param::local_transport])),
      virtual_(route_of(probes ? s[param::address_verify_virtual_transport] : s[param::virtual_transport])),
      relay_(route_of(probes ? s[param::address_verify_relay_transport] : s[param::relay_transport])),
      default_(route_of(probes ? s[param::address_verify_default_transport] : s[param::default_transport])),
      relayhost_(probes ? s[param::address_verify_relayhost] : s[param::relayhost]),
      myhostname_(s[param::myhostname]),
      empty_recipient_(s[param::empty_address_recipient]),
      null_relayhost_key_(s[param::empty_address_relayhost_maps_lookup_key]),
      null_transport_key_(s[param::empty_address_default_transport_maps_lookup_key]),
      delimiters_(s[param::recipient_delimiter]),
      double_bounce_(s[param::double_bounce_sender]),
      swap_bangpath_(s[param::swap_bangpath]),
      percent_hack_(s[param::allow_percent_hack]),
      dequoted_(s[param::resolve_dequoted_address]),
      null_domain_(s[param::resolve_null_domain]),
      numeric_domain_(s[param::resolve_numeric_domain]),
      min_user_(s[param::allow_min_user]),
      show_table_(s[param::show_user_unknown_table_name]),
      relocated_prefix_(s[param::relocated_prefix_enable]),
      utf8_(s[param::smtputf8_enable]),
      owner_request_(s[param::owner_request_special]),
      append_dot_(s[param::append_dot_mydomain] ? s[param::mydomain] : ""),
      local_domains_(std::move(local_domains)),
      transport_parents_(table::parents_of(s, "transport_maps")) {
    const conf::Text& transport = probes ? param::address_verify_transport_maps : param::transport_maps;
    const conf::Text& by_relayhost =
        probes ? param::address_verify_sender_dependent_relayhost_maps : param::sender_dependent_relayhost_maps;
    const conf::Text& by_transport = probes ? param::address_verify_sender_dependent_default_transport_maps
                                            : param::sender_dependent_default_transport_maps;
    transport_maps_ = table::Maps::open(transport.name, s[transport], no_substitution);
    sender_relayhost_ = table::Maps::open(by_relayhost.name, s[by_relayhost], no_substitution);
    sender_transport_ = table::Maps::open(by_transport.name, s[by_transport], no_substitution);
    relocated_maps_ = table::Maps::open("relocated_maps", s[param::relocated_maps]);
    virtual_alias_ = domains(s, param::virtual_alias_domains, table::Parents::none);
    virtual_mailbox_ = domains(s, param::virtual_mailbox_domains, table::Parents::none);
    relay_domains_ = domains(s, param::relay_domains, table::parents_of(s, "relay_domains"));
}

ResolveReply Resolver::resolve(std::string_view sender, std::string_view address) const {
    ResolveReply reply;
    auto work = [&]() -> Result<void> {
        auto parts = mail::split_address(address);
        std::string local(parts.local), domain(bytes::trim(parts.domain.value_or("")));
        const bool has_domain = parts.domain.has_value();
        if (address.empty())
            local = empty_recipient_;  // <>
        if (!has_domain)
            domain = myhostname_;
        if (!has_domain)
            undo_operators(local, domain);

        TRY_ASSIGN(bool is_local, strip_local_domains(local, domain));
        if (is_local && local.empty())
            local = empty_recipient_;
        if (is_local)
            reply.address_class = AddressClass::local;
        else if (domain.empty() || !valid_domain(domain))
            reply.flags |= ResolveReply::error;
        reply.recipient = domain.empty() && !is_local ? local + "@" : local + "@" + domain;
        if (!min_user_ && reply.recipient.front() == '-')
            reply.flags |= ResolveReply::error;
        if (!is_local && ((dequoted_ && local.find('@') != npos) || (percent_hack_ && local.find('%') != npos) ||
                          (swap_bangpath_ && local.find('!') != npos)))
            reply.flags |= ResolveReply::routed;

        TRY(find_class(sender, reply, domain));
        if (!(reply.flags & ResolveReply::error)) {
            TRY(apply_transport_maps(domain, reply));
            if (reply.transport != "error")
                TRY(apply_relocated_maps(reply));
        }
        const bool by_domain = transport_maps_.empty() && relocated_maps_.empty();
        if (by_domain && reply.flags == 0 && reply.recipient == address && mail::is_plain(address))
            reply.flags = ResolveReply::whole_domain;
        return {};
    };
    if (Result<void> done = work(); !done) {
        // A table that stays broken is not worth a line for each address.
        static std::string last;
        static std::int64_t when = 0;
        std::int64_t now = base::wall_now().seconds;
        if (done.error().reason != last || now - when >= 60) {
            maillog::warning("{}", done.error().reason);
            last = done.error().reason;
            when = now;
        }
        reply.flags |= ResolveReply::failed;
    }
    return reply;
}

// user@site within a local part, user%site, site!user: moves the site to domain. False where there is none.
bool Resolver::undo_operators(std::string& local, std::string& domain) const {
    std::size_t at = dequoted_ ? local.rfind('@') : npos;
    if (at == npos && swap_bangpath_) {
        if (std::size_t bang = local.find('!'); bang != npos) {
            domain = completed(local.substr(0, bang));
            local.erase(0, bang + 1);
            return true;
        }
    }
    if (at == npos && percent_hack_)
        at = local.rfind('%');
    if (at == npos)
        return false;
    domain = completed(local.substr(at + 1));
    local.resize(at);
    return true;
}

std::string Resolver::completed(std::string domain) const {
    if (!append_dot_.empty() && !domain.empty() && domain.front() != '[' && domain.find('.') == npos)
        domain += "." + append_dot_;
    return domain;
}

Result<bool> Resolver::strip_local_domains(std::string& local, std::string& domain) const {
    for (;;) {  // each round shortens the local part
        if (domain.size() > 1 && domain.back() == '.' && domain[domain.size() - 2] != '.')
            domain.pop_back();
        bool null = domain.empty() && null_domain_;
        if (null)
            domain = myhostname_;
        TRY_ASSIGN(bool is_local, null ? Result<bool>(true) : local_domains_.is_local(domain));
        if (!is_local && !domain.empty())
            return false;  // user%site@ names a site still
        std::string inner_local = local, inner_domain;
        if (!undo_operators(inner_local, inner_domain))
            return is_local;
        local = std::move(inner_local);
        domain = std::move(inner_domain);
    }
}

bool Resolver::valid_domain(std::string& domain) const {
    if (domain.front() == '[')
        return domain.back() == ']' && mail::address_literal(domain.substr(1, domain.size() - 2)).has_value();
    if (mail::valid_ipv4(domain) || mail::valid_ipv6(domain)) {
        if (!numeric_domain_)
            return false;
        domain = "[" + domain + "]";
        return true;
    }
    return mail::valid_hostname(domain, utf8_);
}

Result<void> Resolver::find_class(std::string_view sender, ResolveReply& reply, std::string& domain) const {
    auto both = [&](std::string_view a, std::string_view b) {
        maillog::warning("do not list domain {} in BOTH {} and {}", domain, a, b);
    };
    TRY_ASSIGN(bool alias, virtual_alias_.match(domain));
    TRY_ASSIGN(bool mailbox, alias&& reply.address_class != AddressClass::local ? Result<bool>(false)
                                                                                : virtual_mailbox_.match(domain));
    if (reply.address_class == AddressClass::local) {
        if (alias)
            both("mydestination", "virtual_alias_domains");
        if (mailbox)
            both("mydestination", "virtual_mailbox_domains");
        reply.transport = local_.transport;
        reply.nexthop = local_.nexthop.empty() ? myhostname_ : local_.nexthop;
    } else if (alias) {
        reply.address_class = AddressClass::virtual_alias;
        reply.transport = "error";
        reply.nexthop = show_table_ ? "5.1.1 User unknown in virtual alias table" : "5.1.1 User unknown";
        TRY_ASSIGN(mailbox, virtual_mailbox_.match(domain));
        if (mailbox)
            both("virtual_alias_domains", "virtual_mailbox_domains");
        TRY_ASSIGN(bool relay, relay_domains_.match(domain));
        if (relay)
            both("virtual_alias_domains", "relay_domains");
    } else if (mailbox) {
        reply.address_class = AddressClass::virtual_mailbox;
        reply.transport = virtual_.transport;
        reply.nexthop = virtual_.nexthop.empty() ? domain : virtual_.nexthop;
        TRY_ASSIGN(bool relay, relay_domains_.match(domain));
        if (relay)
            both("virtual_mailbox_domains", "relay_domains");
    } else {
        TRY_ASSIGN(bool relay, relay_domains_.match(domain));
        reply.address_class = relay ? AddressClass::relay : AddressClass::other;
        if (relay)
            TRY(outside(relay_, sender, domain, reply));
        else
            TRY(route_other(sender, domain, reply));
    }
    return {};
}

Result<void> Resolver::route_other(std::string_view sender, std::string_view domain, ResolveReply& reply) const {
    TRY_ASSIGN(std::optional<std::string> own, by_sender(sender_transport_, sender, null_transport_key_));
    return outside(own ? route_of(*own) : default_, sender, domain, reply);
}

// The transport, and as next hop its own, else the sender's relay host, else relayhost, else the domain.
Result<void> Resolver::outside(const Route& route, std::string_view sender, std::string_view domain,
                               ResolveReply& reply) const {
    reply.transport = route.transport;
    reply.nexthop = route.nexthop;
    if (!reply.nexthop.empty())
        return {};
    TRY_ASSIGN(std::optional<std::string> own, by_sender(sender_relayhost_, sender, null_relayhost_key_));
    reply.nexthop = own ? *own : relayhost_;
    if (reply.nexthop.empty())
        reply.nexthop = domain;
    return {};
}

// What a sender-dependent table says; absent also for DUNNO.
Result<std::optional<std::string>> Resolver::by_sender(const table::Maps& maps, std::string_view sender,
                                                       const std::string& null_key) const {
    if (maps.empty())
        return std::optional<std::string>();
    std::optional<std::string> value;
    if (sender.empty()) {
        TRY_ASSIGN(value, maps.find(null_key));
    } else {
        TRY_ASSIGN(std::optional<table::AddressMatch> found,
                   table::find_address(maps, sender,
                                       {.forms = table::forms_sender,
                                        .delimiters = delimiters_,
                                        .double_bounce_sender = double_bounce_,
                                        .owner_request_special = owner_request_}));
        if (found)
            value = std::move(found->value);
    }
    if (value && bytes::iequals(*value, "DUNNO"))
        value.reset();
    return value;
}

Result<void> Resolver::apply_transport_maps(std::string_view domain, ResolveReply& reply) const {
    if (transport_maps_.empty())
        return {};
    TRY_ASSIGN(std::optional<table::AddressMatch> found, table::find_address(transport_maps_, reply.recipient,
                                                                             {.forms = table::forms_transport,
                                                                              .delimiters = delimiters_,
                                                                              .double_bounce_sender = double_bounce_,
                                                                              .owner_request_special = owner_request_,
                                                                              .parents = transport_parents_}));
    if (!found) {
        TRY_ASSIGN(std::optional<std::string> any, transport_maps_.find("*", table::Which::fixed));
        if (!any)
            return {};
        found = table::AddressMatch{std::move(*any), "*", ""};
    }
    Route route = route_of(found->value);
    if (!route.transport.empty()) {
        reply.transport = route.transport;
        reply.nexthop = route.nexthop.empty() ? std::string(domain) : route.nexthop;
    } else if (!route.nexthop.empty()) {
        reply.nexthop = route.nexthop;
    }
    return {};
}

Result<void> Resolver::apply_relocated_maps(ResolveReply& reply) const {
    if (relocated_maps_.empty())
        return {};
    TRY_ASSIGN(
        std::optional<table::AddressMatch> found,
        table::find_address(relocated_maps_, reply.recipient,
                            {.forms = table::forms_rewrite,
                             .delimiters = delimiters_,
                             .double_bounce_sender = double_bounce_,
                             .owner_request_special = owner_request_,
                             .is_local = [this](std::string_view d) { return local_domains_.rewrites_bare(d); }}));
    if (!found)
        return {};
    reply.transport = "error";
    reply.nexthop = (relocated_prefix_ ? "5.1.6 User has moved to " : "") + found->value;
    return {};
}
}
