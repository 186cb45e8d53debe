// How much one client may do at once and in a while: anvil counts over all processes.
//
// When things fail: without an answer nothing is limited, and one warning says so.
#include <fmt/format.h>
#include <algorithm>
#include "conf/params/cleanup.h"
#include "conf/params/smtpd.h"
#include "ipc/anvil.h"
#include "log/log.h"
#include "session.h"

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

std::string Session::anvil_ident() const {
    return service_.service_ident + ":" +
           client_network(peer_, settings_[param::smtpd_client_ipv4_prefix_length],
                          settings_[param::smtpd_client_ipv6_prefix_length]);
}

bool Session::anvil_connect() {
    const bool any = settings_[param::smtpd_client_connection_count_limit] > 0 ||
                     settings_[param::smtpd_client_connection_rate_limit] > 0 ||
                     settings_[param::smtpd_client_message_rate_limit] > 0 ||
                     settings_[param::smtpd_client_recipient_rate_limit] > 0 ||
                     settings_[param::smtpd_client_new_tls_session_rate_limit] > 0;
    if (!any || client_.family == 0) {
        exempt_ = true;
        return true;
    }
    auto match = service_.limit_exceptions.match(client_.name, client_.address);
    if (match && *match) {
        exempt_ = true;
        return true;
    }
    Result<ipc::AnvilReply> reply = service_.anvil.ask("connect", anvil_ident());
    if (!reply) {
        maillog::warning("{}: no answer: {}", service_.anvil.path(), reply.error().reason);
        return true;
    }
    anvil_ = service_.anvil.serial();
    auto too_many = [&](std::string_view what, int number) {
        maillog::warning("{}: {} from {} for service {}", what, number, client_.shown, service_.service_ident);
        (void)say(fmt::format("421 4.7.0 {} Error: too many connections from {}", settings_[param::myhostname],
                              client_.address));
        return false;
    };
    if (settings_[param::smtpd_client_connection_count_limit] > 0 &&
        reply->count > settings_[param::smtpd_client_connection_count_limit])
        return too_many("Connection concurrency limit exceeded", reply->count);
    if (settings_[param::smtpd_client_connection_rate_limit] > 0 &&
        reply->rate > settings_[param::smtpd_client_connection_rate_limit])
        return too_many("Connection rate limit exceeded", reply->rate);
    return true;
}

bool Session::anvil_count(std::string_view event, std::int64_t limit, std::string_view complaint) {
    int rate = anvil_rate(event, limit);
    if (limit <= 0 || rate <= limit)
        return true;
    maillog::warning("{}: {} from {} for service {}", complaint, rate, client_.shown, service_.service_ident);
    return false;
}

bool Session::anvil_over(std::string_view event, std::int64_t limit) {
    return anvil_rate(event, limit) > std::max<std::int64_t>(limit, 0);
}

int Session::anvil_rate(std::string_view event, std::int64_t limit) {
    if (limit <= 0 || exempt_ || !anvil_)
        return 0;
    auto reply = service_.anvil.ask(event, anvil_ident());
    if (!reply) {
        maillog::warning("{}: no answer: {}", service_.anvil.path(), reply.error().reason);
        anvil_.reset();
        return 0;
    }
    return event == "message" ? reply->mail : event == "recipient" ? reply->recipients : reply->newtls;
}

void Session::anvil_disconnect(bool may_wait) {
    if (anvil_)
        service_.anvil.disconnected(anvil_ident(), *anvil_, may_wait);
    anvil_.reset();
}
}
