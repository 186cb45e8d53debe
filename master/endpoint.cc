#include "endpoint.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include "base/bytes.h"
#include "conf/network.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/smtp.h"
#include "net/address.h"
#include "net/socket.h"
#include "net/window.h"

namespace master {
namespace {
constexpr int backlog = 4096;  // the kernel cuts it to net.core.somaxconn

bool kernel_has(int family) { return static_cast<bool>(UniqueFd(::socket(family, SOCK_STREAM, 0))); }

Result<std::vector<net::Address>> addresses(const conf::MasterEntry& entry, const conf::Settings& s) {
    TRY_ASSIGN(conf::Families allowed, conf::families(s[param::inet_protocols]));
    if (allowed.ipv4 && allowed.ipv6)
        allowed = {kernel_has(AF_INET), kernel_has(AF_INET6)};
    auto port = conf::port_number(s, entry.port());
    if (!port)
        return permanent("port " + entry.port() + ": neither a number from 0 to 65535 nor a service that is known");
    std::vector<std::string> hosts;
    std::string host = entry.host();
    if (!host.empty())
        hosts.push_back(host);
    else
        for (std::string_view word : bytes::split(s[param::inet_interfaces], ", \t\r\n")) {
            if (word == "loopback-only") {
                hosts.push_back("127.0.0.1");
                hosts.push_back("::1");
            } else
                hosts.emplace_back(word);
        }
    std::vector<net::Address> found;
    for (const std::string& h : hosts) {
        bool all = h == "all" || h == "*";
        std::string name = h.size() > 2 && h.front() == '[' && h.back() == ']' ? h.substr(1, h.size() - 2) : h;
        if (std::optional<net::Address> literal = net::Address::parse(name); literal && !all)
            if (!allowed.has(literal->family()))
                continue;
        Result<std::vector<net::Address>> some = net::resolve(all ? "" : name, *port, allowed.only(), true);
        if (!some)
            return permanent("service " + entry.name + ": " + (all ? "" : name + " ") + "port " + *port + ": " +
                             some.error().reason);
        for (const net::Address& a : *some)
            if (std::find(found.begin(), found.end(), a) == found.end())
                found.push_back(a);
    }
    if (found.empty())
        return permanent("service " + entry.name +
                         ": inet_interfaces and inet_protocols leave no address to listen on");
    return found;
}

Result<UniqueFd> open_path(const conf::MasterEntry& entry, const std::string& path) {
    constexpr unsigned mode = 0666;  // who may come here is said by the rights of public/ and private/
    switch (entry.service_type()) {
    case conf::ServiceType::unix_dgram: return net::bind_datagram(path, mode);
    case conf::ServiceType::fifo: return net::open_fifo(path, mode);
    default: return net::listen_unix(path, backlog, mode);
    }
}

std::shared_ptr<Endpoint> find(const Endpoints& open, const std::string& key) {
    for (const std::shared_ptr<Endpoint>& e : open)
        if (e->key == key)
            return e;
    return nullptr;
}
}

Endpoint::~Endpoint() {
    if (!remove || path.empty())
        return;
    conf::TakeIdentity as_owner(owner);
    unlink(path.c_str());
}

Result<Endpoints> open_endpoints(const conf::MasterEntry& entry, const conf::Settings& settings,
                                 const Endpoints& open) {
    net::set_window_size(static_cast<int>(settings[param::tcp_windowsize]));
    Endpoints all;
    auto add = [&](const std::string& key, const std::string& path, auto make) -> Result<void> {
        std::shared_ptr<Endpoint> e = find(open, key);
        if (!e) {
            e = std::make_shared<Endpoint>();
            TRY_ASSIGN(UniqueFd fd, make(*e));
            e->key = key;
            e->path = path;
            e->type = entry.service_type();
            e->fd = std::move(fd);
        }
        all.push_back(std::move(e));
        return {};
    };
    if (entry.service_type() != conf::ServiceType::inet) {
        std::string path = entry.socket_path();
        TRY(add(entry.type + " " + path, path, [&](Endpoint& e) -> Result<UniqueFd> {
            TRY_ASSIGN(e.owner, conf::mail_owner(settings));
            conf::TakeIdentity as_owner(e.owner);  // public/ and private/ are mail_owner's: see conf/rights.h
            return open_path(entry, path);
        }));
        return all;
    }
    TRY_ASSIGN(std::vector<net::Address> where, addresses(entry, settings));
    for (const net::Address& a : where)
        TRY(add("inet " + a.host() + " " + std::to_string(a.port()), "",
                [&](Endpoint&) { return net::listen_inet(a, backlog); }));
    return all;
}
}
