#include "gate.h"
#include <fmt/format.h>
#include <algorithm>
#include "conf/params/cleanup.h"
#include "conf/params/smtpd.h"
#include "ipc/anvil.h"
#include "log/log.h"
#include "service.h"

namespace smtpd {
namespace {
// The network that counts as one client: its leading bits, the rest zero.
std::string client_network(const net::Address& address, std::int64_t ipv4_prefix, std::int64_t ipv6_prefix) {
    std::string raw = address.network_bytes();
    std::int64_t bits = raw.size() == 4 ? ipv4_prefix : ipv6_prefix;
    if (raw.empty() || bits >= static_cast<std::int64_t>(raw.size()) * 8)
        return address.host();
    for (std::size_t i = 0; i < raw.size(); ++i) {
        std::int64_t left = bits - static_cast<std::int64_t>(i) * 8;
        if (left <= 0)
            raw[i] = 0;
        else if (left < 8)
            raw[i] = static_cast<char>(static_cast<unsigned char>(raw[i]) & (0xff << (8 - left)));
    }
    std::string text;
    if (raw.size() == 4) {
        for (char c : raw)
            text += (text.empty() ? "" : ".") + std::to_string(static_cast<unsigned char>(c));
    } else {
        for (std::size_t i = 0; i < 16; i += 2)
            text += fmt::format("{}{:x}", i ? ":" : "",
                                (static_cast<unsigned char>(raw[i]) << 8) | static_cast<unsigned char>(raw[i + 1]));
        if (auto tidy = net::Address::parse(text))
            text = tidy->host();
    }
    return text + "/" + std::to_string(bits);
}
}

std::optional<std::string> Gate::enter(const net::Address& peer) {
    const std::int64_t connections = settings_[param::smtpd_client_connection_count_limit],
                       rate = settings_[param::smtpd_client_connection_rate_limit];
    const bool any = connections > 0 || rate > 0 || settings_[param::smtpd_client_message_rate_limit] > 0 ||
                     settings_[param::smtpd_client_recipient_rate_limit] > 0 ||
                     settings_[param::smtpd_client_new_tls_session_rate_limit] > 0;
    if (!any || client_.family == 0)
        return std::nullopt;
    auto exempt = service_.limit_exceptions.match(client_.name, client_.address);
    if (exempt && *exempt)
        return std::nullopt;
    ident_ = service_.service_ident + ":" +
             client_network(peer, settings_[param::smtpd_client_ipv4_prefix_length],
                            settings_[param::smtpd_client_ipv6_prefix_length]);
    Result<ipc::AnvilReply> reply = service_.anvil.ask("connect", ident_);
    if (!reply) {
        maillog::warning("{}: no answer: {}", service_.anvil.path(), reply.error().reason);
        return std::nullopt;
    }
    connected_ = service_.anvil.serial();
    auto too_many = [&](std::string_view what, int number) {
        complain(what, number);
        return fmt::format("421 4.7.0 {} Error: too many connections from {}", settings_[param::myhostname],
                           client_.address);
    };
    if (connections > 0 && reply->count > connections)
        return too_many("Connection concurrency limit exceeded", reply->count);
    if (rate > 0 && reply->rate > rate)
        return too_many("Connection rate limit exceeded", reply->rate);
    return std::nullopt;
}

void Gate::complain(std::string_view what, int number) const {
    maillog::warning("{}: {} from {} for service {}", what, number, client_.shown, service_.service_ident);
}

bool Gate::count(std::string_view event, const conf::Int& parameter, std::string_view complaint) {
    const std::int64_t limit = settings_[parameter];
    const int number = rate(event, limit);
    if (limit <= 0 || number <= limit)
        return true;
    complain(complaint, number);
    return false;
}

bool Gate::over(std::string_view event, const conf::Int& parameter) {
    const std::int64_t limit = settings_[parameter];
    return rate(event, limit) > std::max<std::int64_t>(limit, 0);
}

int Gate::rate(std::string_view event, std::int64_t limit) {
    if (limit <= 0 || !connected_)
        return 0;
    auto reply = service_.anvil.ask(event, ident_);
    if (!reply) {
        maillog::warning("{}: no answer: {}", service_.anvil.path(), reply.error().reason);
        connected_.reset();
        return 0;
    }
    return event == "message" ? reply->mail : event == "recipient" ? reply->recipients : reply->newtls;
}

void Gate::leave(bool may_wait) {
    if (connected_)
        service_.anvil.disconnected(ident_, *connected_, may_wait);
    connected_.reset();
}
}
