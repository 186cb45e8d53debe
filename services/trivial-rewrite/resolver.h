// Resolver: where does mail for an address go? It tells the address class, the delivery transport, the next hop and the
// recipient that the delivery agent gets, as ADDRESS_CLASS_README, transport(5) and relocated(5) document them.
//
//   1. local domains are taken off and user%site, site!user, user@site within the local part are followed
//   2. the class: local, virtual alias, virtual mailbox, relay, other; each has its transport and next hop
//   3. transport_maps may replace either; relocated_maps turns the address into an error
//
// When things fail: a table that cannot answer makes the reply `failed` (the caller tries later), with one log line; an
// address that no one can deliver to is `error`.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include "ipc/rewrite.h"
#include "table/address_lookup.h"
#include "table/local_domains.h"
#include "table/maps.h"
#include "table/match_list.h"

namespace conf {
class Settings;
}

namespace rewrite {
class Resolver {
public:
    // Opens the tables. for_probes: address_verify_* in the place of the usual parameters.
    Resolver(const conf::Settings& settings, bool for_probes, table::LocalDomains local_domains);
    // Both in internal form.
    ipc::ResolveReply resolve(std::string_view sender, std::string_view address) const;

private:
    struct Route {
        std::string transport, nexthop;
    };  // "transport:nexthop" of a parameter, split
    static Route route_of(std::string_view text);

    Result<void> find_class(std::string_view sender, ipc::ResolveReply& reply, std::string& domain) const;
    Result<void> outside(const Route& route, std::string_view sender, std::string_view domain,
                         ipc::ResolveReply& reply) const;
    Result<void> route_other(std::string_view sender, std::string_view domain, ipc::ResolveReply& reply) const;
    Result<std::optional<std::string>> by_sender(const table::Maps& maps, std::string_view sender,
                                                 const std::string& null_key) const;
    Result<void> apply_transport_maps(std::string_view domain, ipc::ResolveReply& reply) const;
    Result<void> apply_relocated_maps(ipc::ResolveReply& reply) const;
    Result<bool> strip_local_domains(std::string& local, std::string& domain) const;
    bool undo_operators(std::string& local, std::string& domain) const;
    std::string completed(std::string domain) const;  // append_dot_mydomain
    bool valid_domain(std::string& domain) const;

    Route local_, virtual_, relay_, default_;
    std::string relayhost_, myhostname_, empty_recipient_, null_relayhost_key_, null_transport_key_, delimiters_,
        double_bounce_;
    bool swap_bangpath_, percent_hack_, dequoted_, null_domain_, numeric_domain_, min_user_, show_table_,
        relocated_prefix_, utf8_, owner_request_;
    std::string append_dot_;
    table::Maps transport_maps_, relocated_maps_, sender_relayhost_, sender_transport_;
    table::MatchList virtual_alias_, virtual_mailbox_, relay_domains_;
    table::LocalDomains local_domains_;
    table::Parents transport_parents_;
};
}
