#include "handshake.h"
#include <fmt/format.h>
#include "log/log.h"
#include "tls/session.h"

namespace smtp {
namespace {
using ipc::tlsrpt::ResultType;

// TLS on this connection. What it is worth is for the level to say; a server that had to prove who it is and did not
// gets no mail.
std::optional<Refusal> start_tls(Peer& peer, const tls::Policy& policy, const tls::Demand& demand, TlsReport& report) {
    const Config& c = peer.config();
    const std::string where = peer.endpoint.label_with_port();
    tls::Demand told = demand;
    if (c.sessions)
        told.session_key = fmt::format("{}:{}:{}", c.lmtp ? "lmtp" : "smtp", where, c.helo_name);
    if (std::size_t early = peer.stream().buffered().size())
        maillog::warning("{}: discarding {} bytes that came in the clear after the reply to STARTTLS", where, early);
    auto info = tls::connect(peer.stream(), *c.tls, told, loop::in(c.timeouts.starttls), where,
                             {policy.site.key, peer.endpoint.name, peer.endpoint.address.host()});
    if (!info) {
        report.failed(ResultType::validation_failure, info.error().reason);
        peer.broken = true;
        return Refusal{Error{{4, 7, 5}, "Cannot start TLS: handshake failure"}, {}, !demand.must() && !c.wrapper_mode};
    }
    report.succeeded(info->resumed);
    peer.tls = TlsState::secured;
    peer.reuse.under_tls = policy.connection_reuse;
    bool proved = info->status == tls::PeerStatus::verified ||
                  (demand.level == tls::Level::half_dane && info->status == tls::PeerStatus::trusted);
    const std::string flaw = info->peer_certificate ? info->verify_error : "there is no certificate";
    if (tls::verified(demand.level) && (!proved || demand.unmeetable)) {
        if (!proved)
            report.failed(result_type(info->flaw), flaw);
        peer.tls = TlsState::unverified;
        return refusal({{4, 7, 5}, "Server certificate not verified"});
    }
    if (!demand.testing_for.empty() && info->status != tls::PeerStatus::trusted) {
        report.failed(result_type(info->flaw), flaw);
        maillog::info("MTA-STS testing: {}: the certificate of {} does not do: {}", demand.testing_for, where,
                      info->peer_certificate ? info->verify_error : "there is none");
    }
    if (info->bits < demand.minimum_bits) {
        report.failed(ResultType::validation_failure, "cipher too weak");
        peer.tls = TlsState::weak;
        return refusal({{4, 7, 5},
                        fmt::format("TLS cipher strength of {} bits is less than the {} bits that are required",
                                    info->bits, demand.minimum_bits)});
    }
    return std::nullopt;
}

// CVE-2009-3555: replies to commands that somebody else put in front of ours come in one go with the first one.
std::optional<Refusal> look_for_early_replies(Peer& peer) {
    if (!peer.config().block_early_reply || peer.stream().peek().empty())
        return std::nullopt;
    peer.broken = true;
    maillog::warning("{}: replies to commands that were not given, under TLS: possible attack on the handshake",
                     peer.endpoint.label_with_port());
    return refusal({{4, 7, 0}, fmt::format("host {} replied to commands that were not given", peer.endpoint.label())});
}

// True: the server waits for the handshake. False: on in the clear.
tl::expected<bool, Refusal> ask_for_tls(Peer& peer, const tls::Demand& demand, bool wanted, TlsReport& report) {
    const Config& c = peer.config();
    if (demand.wanted())
        peer.tls = TlsState::clear;
    if (!peer.features.starttls) {
        if (wanted && !peer.features.starttls_ignored)
            report.failed(ResultType::starttls_not_supported, "");
        if (!demand.testing_for.empty())
            maillog::info("MTA-STS testing: {}: {} does not offer STARTTLS", demand.testing_for,
                          peer.endpoint.label_with_port());
        if (!demand.must())
            return false;
        return tl::unexpected(refusal(
            {{4, 7, 4}, fmt::format("TLS is required, but was not offered by host {}", peer.endpoint.label())}));
    }
    if (c.note_starttls && !demand.wanted())
        maillog::info("Host offered STARTTLS: [{}]", peer.endpoint.name);
    if (!wanted)
        return false;
    peer.say("STARTTLS");
    auto reply = peer.reply(c.timeouts.starttls, "receiving the STARTTLS response");
    if (!reply)
        return tl::unexpected(refusal(std::move(reply.error())));
    if (!reply->positive()) {
        report.failed(ResultType::starttls_not_supported, reply->text);
        if (!demand.must())
            return false;
        return tl::unexpected(
            Refusal{Error{reply->status, fmt::format("TLS is required, but host {} refused to start TLS: {}",
                                                     peer.endpoint.label(), reply->text)},
                    reply->text, false});
    }
    return true;
}
}

std::optional<Refusal> shake_hands(Peer& peer, const tls::Policy& policy, const tls::Demand& demand, bool without_tls,
                                   TlsReport& report) {
    const Config& c = peer.config();
    bool wanted = demand.wanted() && c.tls && !without_tls;
    if (c.wrapper_mode)
        if (auto no = start_tls(peer, policy, demand, report))
            return no;
    if (auto no = receive_greeting(peer, demand.must()))
        return no;
    if (c.wrapper_mode)
        return std::nullopt;
    auto ready = ask_for_tls(peer, demand, wanted, report);
    if (!ready)
        return std::move(ready.error());
    if (!*ready)
        return std::nullopt;
    if (demand.must())
        peer.tls = TlsState::failed;
    if (auto no = start_tls(peer, policy, demand, report))
        return no;
    if (auto no = look_for_early_replies(peer))
        return no;
    if (auto no = say_hello(peer, nullptr, true))
        return no;
    return look_for_early_replies(peer);
}

std::string tls_wish(tls::Level level) {
    return level == tls::Level::none ? "none" : fmt::format("{}?", tls::name_of(level));
}

std::string tls_feature(const tls::Demand& demand, TlsState tls, RequireTlsState require_tls) {
    const std::string level(tls::name_of(demand.policy_level));
    std::string secured = level;
    if (demand.level == tls::Level::half_dane && demand.policy_level == tls::Level::dane)
        secured = "dane:halfdane";
    else if (demand.level == tls::Level::encrypt && demand.policy_level == tls::Level::dane)
        secured = "dane:encrypt";
    auto so_far = [&]() -> std::string {
        switch (tls) {
        case TlsState::wished: return tls_wish(demand.policy_level);
        case TlsState::clear: return demand.must() ? fmt::format("!{}:nostarttls", level) : level + ":none";
        case TlsState::failed:
        case TlsState::weak: return "!" + level;
        case TlsState::unverified: return fmt::format("!{}:nocertmatch", level);
        case TlsState::secured: break;
        }
        return secured;
    };
    const std::string& violator = under_tls(tls) ? secured : level;
    switch (require_tls) {
    case RequireTlsState::not_asked: break;
    case RequireTlsState::open: return so_far() + "/requiretls?";
    case RequireTlsState::passed_on: return so_far() + "/requiretls";
    case RequireTlsState::passed_unverified: return so_far() + "/requiretls:nocertmatch";
    case RequireTlsState::not_known: return so_far() + "/requiretls:none";
    case RequireTlsState::no_encryption: return violator + "/!requiretls:noencryption";
    case RequireTlsState::no_starttls: return violator + "/!requiretls:nostarttls";
    case RequireTlsState::no_proof: return violator + "/!requiretls:nocertmatch";
    case RequireTlsState::not_offered: return violator + "/!requiretls:none";
    }
    return so_far();
}
}
