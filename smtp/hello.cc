#include "hello.h"
#include <fmt/format.h>
#include <algorithm>
#include <utility>
#include <vector>
#include "base/bytes.h"
#include "log/log.h"

namespace smtp {
namespace {
constexpr const char* list_separators = " \t\r\n,";

Refusal refused(const Peer& peer, const Reply& reply, EnhancedStatus status) {
    return {Error{status, fmt::format("host {} refused to talk to me: {}", peer.endpoint.label(), reply.text)},
            reply.text, false};
}

bool greets_itself(const Peer& peer, std::string_view line) {
    auto words = bytes::split(line, " \t");
    return !peer.config().lmtp && peer.endpoint.address.port() == 25 && !words.empty() &&
           bytes::iequals(words[0], peer.config().myhostname);
}

void warn_of_own_name(const Peer& peer, const char* how) {
    maillog::warning("host {} {} with my own hostname {}", peer.endpoint.label_with_port(), how,
                     peer.config().myhostname);
}

Refusal loops(const Peer& peer, const char* how) {
    warn_of_own_name(peer, how);
    return refusal({{5, 4, 6}, fmt::format("mail for {} loops back to myself", peer.endpoint.name)});
}

// What the server is not to be taken at its word for: keywords of main.cf, or of the table for its address.
std::string discarded(const Peer& peer) {
    const Config& c = peer.config();
    if (!c.discard_maps.empty())
        if (auto hit = c.discard_maps.find(peer.endpoint.address.host()); hit && *hit)
            return **hit;
    return c.discard_keywords;
}

bool listed(std::string_view list, std::string_view word) {
    for (std::string_view w : bytes::split(list, list_separators))
        if (bytes::iequals(w, word))
            return true;
    return false;
}

// The greatest message that it takes; 0: no limit. More than 64 bits hold is as good as none.
std::int64_t take_size(const Peer& peer, std::string_view number) {
    if (number.find_first_not_of("0123456789") != number.npos) {
        maillog::warning("bad EHLO SIZE limit \"{}\" from {}", bytes::printable(number.substr(0, 100)),
                         peer.endpoint.label_with_port());
        return 0;
    }
    return bytes::to_int(number).value_or(0);
}

// "SIZE", {"1000"} of "SIZE 1000", or of "SIZE=1000" as some write it.
std::pair<std::string_view, std::vector<std::string_view>> keyword_of(std::string_view line) {
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(" =")));
    const auto end = std::min(line.size(), line.find_first_of(" ="));
    return {line.substr(0, end), bytes::split(line.substr(std::min(line.size(), end + 1)), " ")};
}

void take_feature(Peer& peer, std::string_view keyword, const std::vector<std::string_view>& words) {
    Features& f = peer.features;
    auto is = [&](std::string_view name) { return bytes::iequals(keyword, name); };
    if (is("PIPELINING"))
        f.pipelining = true;
    else if (is("8BITMIME"))
        f.eight_bit = true;
    else if (is("DSN"))
        f.dsn = true;
    else if (is("SMTPUTF8"))
        f.smtputf8 = f.eight_bit = true;  // RFC 6531, section 3.1: such a server takes 8 bits
    else if (is("STARTTLS"))
        f.starttls = true;
    else if (is("REQUIRETLS"))
        f.requiretls = true;
    else if (is("SIZE")) {
        f.size = true;
        f.size_limit = words.empty() ? 0 : take_size(peer, words[0]);
    } else if (is("XFORWARD")) {
        for (std::string_view w : words) {
            if (bytes::iequals(w, "NAME"))
                f.xforward_name = true;
            if (bytes::iequals(w, "ADDR"))
                f.xforward_address = true;
            if (bytes::iequals(w, "PORT"))
                f.xforward_port = true;
            if (bytes::iequals(w, "PROTO"))
                f.xforward_protocol = true;
            if (bytes::iequals(w, "HELO"))
                f.xforward_helo = true;
            if (bytes::iequals(w, "IDENT"))
                f.xforward_ident = true;
            if (bytes::iequals(w, "SOURCE"))
                f.xforward_source = true;
        }
    }
}

void take_features(Peer& peer, const Reply& reply) {
    peer.features = {};
    peer.features.esmtp = true;
    if (!reply.lines.empty())
        peer.helo = bytes::printable(std::string_view(reply.lines[0])
                                         .substr(0, std::min<std::size_t>(reply.lines[0].find_first_of(" \t"), 255)));
    std::string ignore = discarded(peer), ignored;
    for (std::size_t i = 1; i < reply.lines.size(); ++i) {
        auto [keyword, words] = keyword_of(reply.lines[i]);
        if (listed(ignore, keyword))
            ignored += (ignored.empty() ? "" : " ") + std::string(keyword);
        else
            take_feature(peer, keyword, words);
    }
    peer.features.starttls_ignored = listed(ignored, "STARTTLS");
    if (!ignored.empty() && !listed(ignore, "silent-discard"))
        maillog::info("discarding EHLO keywords: {}", bytes::uppered(ignored));
}

// A PIX firewall in "fixup" mode overwrites the banner with asterisks, but for its twos, zeros and blanks.
void look_for_pix(Peer& peer, const Reply& greeting) {
    if (greeting.text.find_first_not_of("* 20\t") != std::string::npos)
        return;
    const Config& c = peer.config();
    std::string words = c.pix_workarounds;
    if (!c.pix_maps.empty())
        if (auto hit = c.pix_maps.find(peer.endpoint.address.host()); hit && *hit)
            words = **hit;
    peer.pix = {listed(words, "disable_esmtp"), listed(words, "delay_dotcrlf")};
    if (words.empty())
        return;
    std::string in_force = peer.pix.disable_esmtp ? "disable_esmtp" : "";
    if (peer.delays_dot())
        in_force += in_force.empty() ? "delay_dotcrlf" : " delay_dotcrlf";
    maillog::info("{}: enabling PIX workarounds: {} for {}", peer.message.queue_id, in_force,
                  peer.endpoint.label_with_port());
}
}

Refusal refusal(Error why) { return {std::move(why), {}, false}; }

std::optional<Refusal> say_hello(Peer& peer, const Reply* greeting, bool tls_wanted) {
    const Config& c = peer.config();
    std::optional<Refusal> no_ehlo;
    bool extended =
        c.lmtp || c.always_ehlo || (greeting && greeting->text.find("ESMTP") != std::string::npos) || tls_wanted;
    if (!c.lmtp && (c.never_ehlo || peer.pix.disable_esmtp))
        extended = false;
    if (extended) {
        peer.say(fmt::format("{} {}", c.lmtp ? "LHLO" : "EHLO", c.helo_name));
        auto reply = peer.reply(c.timeouts.helo, fmt::format("performing the {} handshake", c.lmtp ? "LHLO" : "EHLO"));
        if (!reply)
            return refusal(std::move(reply.error()));
        if (reply->positive()) {
            if (!reply->lines.empty() && greets_itself(peer, reply->lines[0]))
                return loops(peer, "replied to HELO/EHLO");
            take_features(peer, *reply);
            return std::nullopt;
        }
        EnhancedStatus status = reply->status;
        if (!greeting)
            status.klass = 4;  // under TLS, where it said yes before
        if (c.lmtp || peer.leaving || !greeting)
            return refused(peer, *reply, status);
        status.klass = 4;
        no_ehlo = refused(peer, *reply, status);
    }
    peer.say("HELO " + c.helo_name);
    auto reply = peer.reply(c.timeouts.helo, "performing the HELO handshake");
    if (!reply && no_ehlo && peer.stream().failure() == net::Stream::Failure::lost)
        return no_ehlo;  // it hung up after it had said why
    if (!reply)
        return refusal(std::move(reply.error()));
    if (!reply->positive())
        return refused(peer, *reply, reply->status);
    if (!reply->lines.empty() && greets_itself(peer, reply->lines[0]))
        return loops(peer, "replied to HELO/EHLO");
    peer.features = {};
    return std::nullopt;
}

std::optional<Refusal> receive_greeting(Peer& peer, bool tls_wanted) {
    const Config& c = peer.config();
    auto greeting = peer.reply(c.timeouts.helo, "receiving the initial server greeting");
    if (!greeting)
        return refusal(std::move(greeting.error()));
    if (!greeting->positive()) {
        EnhancedStatus status = greeting->status;
        if (greeting->permanent() && c.skip_5xx)
            status.klass = 4;
        return refused(peer, *greeting, status);
    }
    // Only a warning: the text before EHLO may be another host's, of a balancer or a copied configuration. What answers
    // EHLO is the server.
    if (!greeting->lines.empty() && greets_itself(peer, greeting->lines[0]))
        warn_of_own_name(peer, "greeted me");
    look_for_pix(peer, *greeting);
    return say_hello(peer, &*greeting, tls_wanted);
}
}
