#include "requiretls.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "handshake.h"
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

Refusal violation(EnhancedStatus status, std::string reason) {
    Refusal r{Error{status, std::move(reason)}, {}, false};
    r.demand_not_met = true;
    return r;
}

bool proves(const TlsPlan& plan) {
    return tls::verified(plan.demand.level) && plan.demand.level != tls::Level::half_dane;
}
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

std::optional<Refusal> objection(TlsPlan& plan, const std::string& nexthop) {
    const std::string level(tls::name_of(plan.level));
    if (plan.require_tls >= RequireTls::with_starttls && !plan.wanted()) {
        plan.wish = level + "/!requiretls:noencryption";
        return violation(
            {5, 7, 10},
            fmt::format("REQUIRETLS is requested, but the TLS security policy for {} allows no encryption", nexthop));
    }
    if (plan.require_tls == RequireTls::enforce && !proves(plan)) {
        plan.wish = level + "/!requiretls:nocertmatch";
        return violation(
            {5, 7, 5},
            fmt::format(
                "REQUIRETLS is requested, but the TLS security policy for {} does not verify server certificates",
                nexthop));
    }
    plan.wish += "/requiretls?";
    return std::nullopt;
}

void judge_demand(Peer& peer, const TlsPlan& plan, std::optional<Refusal>& refusal) {
    const std::string level = peer.under_tls ? plan.status : std::string(tls::name_of(plan.level));
    auto violated = [&](const char* what, EnhancedStatus status, std::string reason) {
        peer.tls_status = fmt::format("{}/!requiretls:{}", level, what);
        refusal = violation(status, std::move(reason));
    };
    bool known = peer.features.requiretls && peer.under_tls;
    if (refusal && peer.tls_status.ends_with(":nostarttls"))
        return violated(
            "nostarttls", {5, 7, 10},
            fmt::format("REQUIRETLS is requested, but TLS was not offered by host {}", peer.endpoint.label()));
    if (refusal && peer.tls_status.ends_with(":nocertmatch")) {
        if (plan.require_tls == RequireTls::enforce)
            violated("nocertmatch", {5, 7, 5}, refusal->why.reason);
        return;
    }
    if (refusal) {
        if (!peer.tls_status.ends_with("/requiretls?"))
            peer.tls_status += "/requiretls?";
        return;
    }
    if (plan.require_tls == RequireTls::enforce && !known)
        return violated("none", {5, 7, 30},
                        fmt::format("REQUIRETLS is required, but was not offered by host {}", peer.endpoint.label()));
    peer.send_require_tls = known;
    const std::string base = peer.under_tls ? plan.status : peer.tls_status;
    peer.tls_status = fmt::format("{}/requiretls{}", base, !known ? ":none" : proves(plan) ? "" : ":nocertmatch");
}
}
