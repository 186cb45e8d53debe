#include "resolver.h"
#include "base/bytes.h"
#include "conf/params/global.h"
#include "conf/params/qmgr.h"
#include "conf/params/rewrite.h"
#include "log/log.h"

namespace qmgr {
Resolver::Resolver(const conf::Settings& settings)
    : trivial_rewrite_(settings, settings[param::qmgr_ipc_timeout]),
      error_service_(settings[param::error_service_name]),
      double_bounce_(settings[param::double_bounce_sender]),
      filter_nexthop_(settings[param::default_filter_nexthop]),
      allow_minus_(settings[param::allow_min_user]) {
    for (auto name : bytes::split(settings[param::defer_transports], ", \t\r\n"))
        deferred_transports_.emplace(name);
}

Route Resolver::retry(std::string_view status, std::string_view reason, const std::string& address) const {
    return {retry_service_, std::string(status) + ' ' + std::string(reason), address};
}
Route Resolver::refuse(std::string_view status, std::string_view reason, const std::string& address) const {
    return {error_service_, std::string(status) + ' ' + std::string(reason), address};
}

static std::string_view domain_of(std::string_view address) {
    auto at = address.rfind('@');
    return at == address.npos ? std::string_view() : address.substr(at + 1);
}

Route Resolver::routed(const Message& message, ipc::ResolveReply reply) const {
    Route route{std::move(reply.transport), std::move(reply.nexthop), std::move(reply.recipient)};
    if (!message.envelope.filter.empty()) {  // "transport:nexthop", of this message
        auto [transport, nexthop] = bytes::cut(message.envelope.filter, ':');
        route.transport = transport;
        route.nexthop = nexthop && !nexthop->empty() ? std::string(*nexthop)
                        : !filter_nexthop_.empty()   ? filter_nexthop_
                                                     : std::string(domain_of(route.address));
    }
    if (reply.address_class == ipc::AddressClass::local) {
        std::string_view user = std::string_view(route.address).substr(0, route.address.rfind('@'));
        if (bytes::iequals(user, double_bounce_))
            route.discard = true;
    }
    return route;
}

Route Resolver::resolve(const Message& message, const queue::Recipient& recipient) {
    const std::string& address = message.envelope.redirect.empty() ? recipient.address : message.envelope.redirect;
    if (message.force_expired())
        return retry("4.7.0", "message is administratively expired", address);
    if (address.size() > 4000)
        return refuse("5.1.3", "bad address syntax", address);
    auto reply = trivial_rewrite_.resolve(message.envelope.sender, address);
    if (!reply) {
        if (Time now = loop::Clock::now(); now >= quiet_until_) {  // once a second, whatever number of recipients
            maillog::warning("{}: {}", message.id.text(), reply.error().reason);
            quiet_until_ = now + std::chrono::seconds(1);
        }
        return retry("4.3.0", "address resolver failure", address);
    }
    if (reply->flags & ipc::ResolveReply::failed)
        return retry("4.3.0", "address resolver failure", address);
    if (reply->flags & ipc::ResolveReply::error || reply->transport.empty() ||
        reply->transport.find('/') != std::string::npos || reply->recipient.empty())
        return refuse("5.1.3", "bad address syntax", address);
    if (!allow_minus_ && reply->recipient.front() == '-')
        return refuse("5.1.3", "bad address syntax", reply->recipient);
    Route route = routed(message, std::move(*reply));
    if (route.discard)
        return route;
    if (!message.flush && deferred_transports_.contains(route.transport))
        return retry("4.3.2", "deferred transport", route.address);
    return route;
}
}
