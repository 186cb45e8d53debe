#include "requiretls.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "hello.h"
#include "log/log.h"
#include "table/address_lookup.h"

namespace smtp {
namespace {
std::optional<RequireTls> action(std::string_view word) {
    if (bytes::iequals(word, "disable"))
        return RequireTls::no;
    if (bytes::iequals(word, "opportunistic"))
        return RequireTls::opportunistic;
    if (bytes::iequals(word, "opportunistic+starttls"))
        return RequireTls::with_starttls;
    if (bytes::iequals(word, "enforce"))
        return RequireTls::enforce;
    return std::nullopt;
}

bool knows_parents(std::string_view table) {  // tables that are not asked for .parent.domains
    for (std::string_view type : {"regexp:", "pcre:", "socketmap:", "tcp:", "cidr:"})
        if (table.starts_with(type))
            return false;
    return true;
}

Refusal violation(RequireTlsState how, EnhancedStatus status, std::string reason) {
    Refusal r{Error{status, std::move(reason)}, {}, false};
    r.require_tls = how;
    return r;
}

bool proves(const tls::Demand& demand) { return tls::verified(demand.level) && demand.level != tls::Level::half_dane; }
}

RequireTlsPolicy RequireTlsPolicy::open(std::string_view parameter, std::string_view text,
                                        const table::OpenOptions& options) {
    RequireTlsPolicy p;
    p.parameter_ = parameter;
    for (std::string_view item : bytes::split_outside_braces(text, ", \t\r\n")) {
        if (item.find(':') == item.npos)
            p.items_.emplace_back(std::string(item));
        else
            p.items_.emplace_back(table::Maps::open(parameter, item, options));
    }
    return p;
}

Result<RequireTls> RequireTlsPolicy::find(const std::string& nexthop) const {
    auto known = [this](std::string_view word) -> Result<RequireTls> {
        if (auto a = action(word))
            return *a;
        maillog::warning("{}: unknown action \"{}\"", parameter_, bytes::printable(word.substr(0, 100)));
        return temporary("REQUIRETLS policy configuration error", {4, 3, 5});
    };
    for (const auto& item : items_) {
        if (auto* word = std::get_if<std::string>(&item))
            return known(*word);
        const auto& maps = std::get<table::Maps>(item);
        bool parents = !maps.tables().empty() && knows_parents(maps.tables().front()->name());
        std::optional<std::string> value;
        if (parents) {
            auto hit = table::find_domain(maps, nexthop, table::Parents::dotted);
            if (!hit)
                return temporary("REQUIRETLS policy lookup error", {4, 3, 5});
            if (*hit)
                value = (*hit)->value;
        } else {
            auto hit = maps.find(nexthop);
            if (!hit)
                return temporary("REQUIRETLS policy lookup error", {4, 3, 5});
            value = *hit;
        }
        if (value)
            return known(bytes::trim(*value));
    }
    return RequireTls::enforce;
}

std::optional<Refusal> objection(const tls::Demand& demand, const std::string& nexthop) {
    using State = RequireTlsState;
    if (demand.require_tls >= RequireTls::with_starttls && !demand.wanted())
        return violation(
            State::no_encryption, {5, 7, 10},
            fmt::format("REQUIRETLS is requested, but the TLS security policy for {} allows no encryption", nexthop));
    if (demand.require_tls == RequireTls::enforce && !proves(demand))
        return violation(
            State::no_proof, {5, 7, 5},
            fmt::format(
                "REQUIRETLS is requested, but the TLS security policy for {} does not verify server certificates",
                nexthop));
    return std::nullopt;
}

RequireTlsState judge_demand(Peer& peer, const tls::Demand& demand, std::optional<Refusal>& refusal) {
    using State = RequireTlsState;
    if (demand.require_tls == RequireTls::no)
        return State::not_asked;
    const bool enforced = demand.require_tls == RequireTls::enforce;
    auto refuse = [&](State how, EnhancedStatus status, std::string reason) {
        refusal = violation(how, status, std::move(reason));
        return how;
    };
    if (refusal && peer.tls == TlsState::clear && demand.must())
        return refuse(
            State::no_starttls, {5, 7, 10},
            fmt::format("REQUIRETLS is requested, but TLS was not offered by host {}", peer.endpoint.label()));
    if (refusal && peer.tls == TlsState::unverified)
        return enforced ? refuse(State::no_proof, {5, 7, 5}, refusal->why.reason) : State::not_asked;
    if (refusal)
        return State::open;
    bool known = peer.features.requiretls && under_tls(peer.tls);
    if (enforced && !known)
        return refuse(State::not_offered, {5, 7, 30},
                      fmt::format("REQUIRETLS is required, but was not offered by host {}", peer.endpoint.label()));
    peer.send_require_tls = known;
    return !known ? State::not_known : proves(demand) ? State::passed_on : State::passed_unverified;
}
}
