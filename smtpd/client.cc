#include "client.h"
#include <sys/socket.h>
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "net/stream.h"
#include "service.h"
#include "tls/info.h"

namespace smtpd {
void Client::connected(Service& service, const net::Stream& stream, const net::Address& peer) {
    const conf::Settings& settings = service.settings();
    if (peer.family() == AF_INET || peer.family() == AF_INET6) {
        address = peer.host();
        port = std::to_string(peer.port());
        literal = peer.smtp_literal();
        family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
        sockaddr_storage own{};
        socklen_t length = sizeof own;
        if (server_address.empty() && ::getsockname(stream.fd(), reinterpret_cast<sockaddr*>(&own), &length) == 0) {
            net::Address server(reinterpret_cast<sockaddr*>(&own), length);
            server_address = server.host();
            server_port = std::to_string(server.port());
        }
        dns::ClientName found = service.resolver.client_name(address, settings[param::smtpd_peername_lookup]);
        name = std::move(found.name);
        reverse_name = std::move(found.reverse_name);
        name_status = found.name_status;
        reverse_status = found.reverse_name_status;
    } else {
        name = reverse_name = "localhost";
        address = literal = "127.0.0.1";
    }
    show(settings[param::smtpd_client_port_logging]);
}

Client Client::anew() const {
    Client copy = *this;
    copy.helo.clear();
    copy.esmtp = false;
    copy.mynetworks_.reset();
    copy.bare_newline_.reset();
    return copy;
}

void Client::show(bool with_port) { shown = name + "[" + address + "]" + (with_port ? ":" + port : ""); }

bool Client::in_mynetworks(const Service& service) {
    if (!mynetworks_) {
        auto match = service.mynetworks.match(name, address);
        if (!match) {
            maillog::warning("mynetworks: {}", match.error().reason);
            return false;
        }
        mynetworks_ = *match;
    }
    return *mynetworks_;
}

bool Client::may_forward(const Service& service) {
    if (!may_forward_) {
        auto match = service.xforward_hosts.match(name, address);
        may_forward_ = match && *match;
    }
    return *may_forward_;
}

BareNewline Client::bare_newline(const Service& service) {
    if (!bare_newline_) {
        bare_newline_ = service.bare_newline;
        if (bare_newline_ != BareNewline::no && !service.bare_newline_exclusions.empty()) {
            auto excluded = service.bare_newline_exclusions.match(name, address);
            if (excluded && *excluded)
                bare_newline_ = BareNewline::no;
        }
    }
    return *bare_newline_;
}

const tls::Info* Client::certificate() const {
    return encryption && encryption->peer_certificate ? encryption.get() : nullptr;
}

Result<bool> Client::certificate_listed(const Service& service) const {
    const tls::Info* shown_one = certificate();
    if (!shown_one || shown_one->revoked)
        return false;
    for (const std::string& fingerprint : {shown_one->fingerprint, shown_one->key_fingerprint}) {
        TRY_ASSIGN(const auto found, service.relay_certificates.find(fingerprint));
        if (found)
            return true;
    }
    return false;
}

std::string Forwarded::shown() const {
    std::string out = name.empty() ? "unknown" : name;
    if (!address.empty())
        out += "[" + address + "]";
    return out;
}
}
