#include "handshake.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "log/log.h"
#include "tls/session.h"

namespace smtp {
namespace {
constexpr const char* list_separators = " \t\r\n,";

Refusal refusal(Error why) { return {std::move(why), {}, false}; }
Refusal refused(const Peer& peer, const Reply& reply, EnhancedStatus status) {
    return {Error{status, fmt::format("host {} refused to talk to me: {}", peer.endpoint.label(), reply.text)}, reply.text, false};
}

bool greets_itself(const Peer& peer, std::string_view line) {
    auto words = bytes::split(line, " \t");
    return !peer.config().lmtp && peer.endpoint.address.port() == 25 && !words.empty() && bytes::iequals(words[0], peer.config().myhostname);
}

Refusal loops(const Peer& peer, const char* how) {
    maillog::warning("host {} {} with my own hostname {}", peer.endpoint.label(), how, peer.config().myhostname);
    return refusal({{5, 4, 6}, fmt::format("mail for {} loops back to myself", peer.endpoint.name)});
}

// What the server is not to be taken at its word for: keywords of main.cf, or of the table for its address.
std::string discarded(const Peer& peer) {
    const Config& c = peer.config();
    if (!c.discard_maps.empty())
        if (auto hit = c.discard_maps.find(peer.endpoint.address.host()); hit && *hit) return **hit;
    return c.discard_keywords;
}

bool listed(std::string_view list, std::string_view word) {
    for (std::string_view w : bytes::split(list, list_separators)) if (bytes::iequals(w, word)) return true;
    return false;
}

void take_feature(Features& f, std::string_view line) {
    auto words = bytes::split(line, " \t");
    if (words.empty()) return;
    auto is = [&](std::string_view name) { return bytes::iequals(words[0], name); };
    if (is("PIPELINING")) f.pipelining = true;
    else if (is("8BITMIME")) f.eight_bit = true;
    else if (is("DSN")) f.dsn = true;
    else if (is("SMTPUTF8")) f.smtputf8 = true;
    else if (is("STARTTLS")) f.starttls = true;
    else if (is("SIZE")) {
        f.size = true;
        f.size_limit = words.size() > 1 ? bytes::to_int(words[1]).value_or(0) : 0;
    } else if (is("XFORWARD")) {
        for (std::string_view w : words) {
            if (bytes::iequals(w, "NAME")) f.xforward_name = true;
            if (bytes::iequals(w, "ADDR")) f.xforward_address = true;
            if (bytes::iequals(w, "PORT")) f.xforward_port = true;
            if (bytes::iequals(w, "PROTO")) f.xforward_protocol = true;
            if (bytes::iequals(w, "HELO")) f.xforward_helo = true;
            if (bytes::iequals(w, "IDENT")) f.xforward_ident = true;
            if (bytes::iequals(w, "SOURCE")) f.xforward_source = true;
        }
    }
}

void take_features(Peer& peer, const Reply& reply) {
    peer.features = {};
    peer.features.esmtp = true;
    std::string ignore = discarded(peer), ignored;
    for (std::size_t i = 1; i < reply.lines.size(); ++i) {
        std::string_view line = reply.lines[i];
        std::string_view keyword = line.substr(0, line.find_first_of(" \t"));
        if (listed(ignore, keyword)) ignored += (ignored.empty() ? "" : " ") + std::string(keyword);
        else take_feature(peer.features, line);
    }
    if (!ignored.empty() && !listed(ignore, "silent-discard")) maillog::info("discarding EHLO keywords: {}", bytes::uppered(ignored));
}

// A PIX firewall in "fixup" mode overwrites the banner with asterisks.
void look_for_pix(Peer& peer, const Reply& greeting, std::string_view queue_id) {
    std::string_view text = greeting.text;
    text.remove_prefix(std::min<std::size_t>(4, text.size()));
    if (text.find("***") == text.npos || text.find_first_not_of("* 20\t") != text.npos) return;
    const Config& c = peer.config();
    peer.pix = c.pix_workarounds;
    if (!c.pix_maps.empty())
        if (auto hit = c.pix_maps.find(peer.endpoint.address.host()); hit && *hit) peer.pix = **hit;
    if (!peer.pix.empty()) maillog::info("{}: enabling PIX workarounds: {} for {}", queue_id, peer.pix, peer.endpoint.label_with_port());
}

// greeting: null for the second hello, under TLS, which is never HELO.
std::optional<Refusal> say_hello(Peer& peer, const Reply* greeting, bool tls_wanted) {
    const Config& c = peer.config();
    bool extended = c.lmtp || c.always_ehlo || (greeting && greeting->text.find("ESMTP") != std::string::npos) || tls_wanted;
    if (!c.lmtp && (c.never_ehlo || listed(peer.pix, "disable_esmtp"))) extended = false;
    if (extended) {
        peer.say(fmt::format("{} {}", c.lmtp ? "LHLO" : "EHLO", c.helo_name));
        auto reply = peer.reply(c.timeouts.helo, fmt::format("performing the {} handshake", c.lmtp ? "LHLO" : "EHLO"));
        if (!reply) return refusal(std::move(reply.error()));
        if (reply->positive()) {
            if (!reply->lines.empty() && greets_itself(peer, reply->lines[0])) return loops(peer, "replied to HELO/EHLO");
            take_features(peer, *reply);
            return std::nullopt;
        }
        EnhancedStatus status = reply->status;
        if (!greeting) status.klass = 4;         // under TLS, where it said yes before
        if (c.lmtp || peer.broken || !greeting) return refused(peer, *reply, status);
    }
    peer.say("HELO " + c.helo_name);
    auto reply = peer.reply(c.timeouts.helo, "performing the HELO handshake");
    if (!reply) return refusal(std::move(reply.error()));
    if (!reply->positive()) return refused(peer, *reply, reply->status);
    if (!reply->lines.empty() && greets_itself(peer, reply->lines[0])) return loops(peer, "replied to HELO/EHLO");
    peer.features = {};
    return std::nullopt;
}

std::optional<Refusal> start_tls(Peer& peer, const TlsPolicy& policy) {
    const Config& c = peer.config();
    tls::Demand demand = policy.demand;
    demand.mandatory = policy.level == Level::encrypt;
    if (c.sessions) demand.session_key = fmt::format("{}:{}:{}:{}:{}", c.lmtp ? "lmtp" : "smtp", peer.endpoint.label_with_port(), c.helo_name, name_of(policy.level), demand.server_name);
    auto info = tls::connect(peer.stream(), *c.tls, demand, loop::in(c.timeouts.starttls), peer.endpoint.label_with_port());
    if (info) return std::nullopt;
    peer.broken = true;
    bool may = policy.level == Level::may && !c.wrapper_mode;
    return Refusal{Error{{4, 7, 5}, "Cannot start TLS: handshake failure"}, {}, may};
}
}

Result<TlsPolicy> tls_policy_for(const Config& config, const Destination& destination) {
    TlsPolicy policy;
    policy.level = config.level;
    policy.level_text = config.level_text;
    policy.demand.server_name = config.server_name == "hostname" ? "hostname" : config.server_name == "nexthop" ? destination.host : config.server_name;
    std::string entry;
    if (!config.tls_policy.empty()) {
        auto hit = config.tls_policy.find(destination.text);
        if (hit && !*hit && destination.text.find_first_of("[/") == std::string::npos) {
            auto match = table::find_domain(config.tls_policy, destination.host, table::Parents::dotted);
            if (!match) return temporary("TLS policy lookup error", {4, 7, 5});
            if (*match) entry = (*match)->value;
        }
        if (!hit) return temporary("TLS policy lookup error", {4, 7, 5});
        if (*hit) entry = **hit;
    }
    auto words = bytes::split(entry, list_separators);
    for (std::size_t i = 0; i < words.size(); ++i) {
        auto [name, value] = bytes::cut(words[i], '=');
        if (i == 0) { policy.level_text = words[0]; policy.level = parse_level(words[0]); }
        else if (value && bytes::iequals(name, "protocols")) for (char ch : *value) policy.demand.protocols += ch == ':' ? ' ' : ch;
        else if (value && bytes::iequals(name, "ciphers")) policy.demand.ciphers = *value;
        else if (value && bytes::iequals(name, "exclude")) policy.demand.exclude = *value;
        else if (value && bytes::iequals(name, "servername")) policy.demand.server_name = *value;
        else return temporary(fmt::format("TLS policy for {}: attribute \"{}\" is not known", destination.text, bytes::printable(words[i])), {4, 7, 5});
    }
    if (policy.level == Level::may && destination.path) {
        maillog::warning("{}: opportunistic TLS encryption is not appropriate for unix-domain destinations", destination.text);
        policy.level = Level::none;
        policy.level_text = "none";
    }
    if (policy.level == Level::refused)
        return temporary(fmt::format("TLS security level \"{}\" for {} is not available in this version", bytes::printable(policy.level_text), destination.text), {4, 7, 5});
    if (config.wrapper_mode && policy.level != Level::encrypt)
        return temporary(fmt::format("TLS wrapper mode requires security level \"encrypt\" for {}", destination.text), {4, 7, 5});
    if (policy.level == Level::encrypt && !config.tls) return temporary("TLS is required, but our TLS engine is unavailable", {4, 7, 5});
    policy.wish = policy.level == Level::none ? "none" : policy.level_text + "?";
    return policy;
}

std::optional<Refusal> shake_hands(Peer& peer, const TlsPolicy& policy, bool without_tls, std::string_view queue_id) {
    const Config& c = peer.config();
    bool wanted = policy.level != Level::none && c.tls && !without_tls;
    TlsPolicy with_name = policy;
    if (with_name.demand.server_name == "hostname") with_name.demand.server_name = peer.endpoint.name;
    peer.tls_status = policy.level == Level::none ? "none" : policy.level == Level::may ? "may:none" : "!" + policy.level_text;
    if (c.wrapper_mode) {
        if (auto no = start_tls(peer, with_name)) return no;
        peer.tls_status = policy.level_text;
    }
    auto greeting = peer.reply(c.timeouts.helo, "receiving the initial server greeting");
    if (!greeting) return refusal(std::move(greeting.error()));
    if (!greeting->positive()) {
        EnhancedStatus status = greeting->status;
        if (greeting->permanent() && c.skip_5xx) status.klass = 4;
        if (greeting->temporary() && !c.skip_4xx) status.klass = 5;
        return refused(peer, *greeting, status);
    }
    if (!greeting->lines.empty() && greets_itself(peer, greeting->lines[0])) return loops(peer, "greeted me");
    look_for_pix(peer, *greeting, queue_id);
    if (auto no = say_hello(peer, &*greeting, policy.level == Level::encrypt)) return no;
    if (c.wrapper_mode) return std::nullopt;
    if (!peer.features.starttls) {
        if (policy.level != Level::encrypt) return std::nullopt;
        return refusal({{4, 7, 4}, fmt::format("TLS is required, but was not offered by host {}", peer.endpoint.label())});
    }
    if (c.note_starttls && policy.level == Level::none) maillog::info("Host offered STARTTLS: [{}]", peer.endpoint.name);
    if (!wanted) return std::nullopt;
    peer.say("STARTTLS");
    auto reply = peer.reply(c.timeouts.starttls, "receiving the STARTTLS response");
    if (!reply) return refusal(std::move(reply.error()));
    if (!reply->positive()) {
        if (policy.level == Level::may && !peer.broken) return std::nullopt;
        return Refusal{Error{reply->status, fmt::format("TLS is required, but host {} refused to start TLS: {}", peer.endpoint.label(), reply->text)}, reply->text, false};
    }
    if (auto no = start_tls(peer, with_name)) return no;
    peer.tls_status = policy.level_text;
    return say_hello(peer, nullptr, true);
}
}
