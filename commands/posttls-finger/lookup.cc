#include "lookup.h"
#include <fmt/format.h>
#include <sys/socket.h>
#include <algorithm>
#include <random>
#include "base/bytes.h"
#include "conf/network.h"
#include "conf/params/global.h"
#include "conf/params/smtp.h"
#include "dns/host.h"
#include "mail/address.h"

namespace finger {
namespace {
dns::Families families(const conf::Settings& settings) {
    return conf::families(settings[param::inet_protocols]).value_or(dns::Families{});
}

// Adds the addresses of one name; why there are none else.
std::optional<std::string> add_host(const Options& o, const conf::Settings& settings, Host host, std::uint16_t port,
                                    std::vector<Host>& list) {
    if (auto literal = net::Address::parse(host.name, port)) {
        if (!families(settings).has(literal->family()))
            return fmt::format("{}: inet_protocols leaves out {}", host.name,
                               literal->family() == AF_INET6 ? "IPv6" : "IPv4");
        host.address = *literal;
        list.push_back(host);
        return std::nullopt;
    }
    std::string why;
    for (bool native : {false, true}) {
        if (native ? !o.native : !o.dns)
            continue;
        dns::Addresses found = native ? dns::native_addresses(host.name, families(settings))
                                      : dns::dns_addresses(host.name, families(settings), {.dnssec = true});
        for (const dns::Record& r : found.records) {
            auto address = net::Address::parse(r.value, port);
            if (!found || !address)
                continue;
            host.address = *address;
            host.lookup = native ? tls::HostLookup{} : tls::HostLookup{host.name, found.canonical, found.authenticated};
            list.push_back(host);
        }
        if (found)
            return std::nullopt;
        why = native ? fmt::format("unable to look up host {}: {}", host.name, found.reason)
                     : "Host or domain name not found. " + found.reason;
    }
    return why;
}
}

std::string Host::label() const { return fmt::format("{}[{}]:{}", name, address.host(), address.port()); }

Result<Destination> parse_destination(const Options& o, const conf::Settings& settings) {
    Destination d;
    d.text = o.destination;
    std::string_view text = d.text, port;
    auto bad = [&](std::string_view what) {
        return permanent(fmt::format("{} in destination: {}", what, bytes::printable(d.text)));
    };
    if (text.starts_with("unix:") && o.lmtp) {
        d.path = text.substr(5);
        if (d.path.empty())
            return bad("no pathname");
        return d;
    }
    if (text.starts_with("inet:"))
        text.remove_prefix(5);
    d.exchangers = !o.lmtp && o.dns;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == text.npos || (end + 1 < text.size() && text[end + 1] != ':'))
            return bad("unbalanced []");
        d.host = text.substr(1, end - 1);
        port = text.substr(std::min(end + 2, text.size()));
        if (bytes::istarts_with(d.host, "ipv6:"))
            d.host.erase(0, 5);
        d.exchangers = false;
    } else {
        auto [host, after] = bytes::cut(text, ':');
        d.host = host;
        port = after.value_or("");
    }
    if (auto ascii = bytes::is_ascii(d.host) ? std::nullopt : mail::to_ascii_domain(d.host))
        d.host = *ascii;
    if (d.host.empty() || d.host.size() > 255)
        return bad("no hostname");
    auto number =
        bytes::to_int(conf::port_number(settings, port.empty() ? (o.lmtp ? "24" : "smtp") : port).value_or(""));
    if (!number || *number < 1 || *number > 65535)
        return bad(fmt::format("unknown service \"{}\"", bytes::printable(port)));
    d.port = static_cast<std::uint16_t>(*number);
    return d;
}

Result<std::vector<Host>> find_hosts(const Options& o, const conf::Settings& settings, const Destination& d) {
    std::vector<Host> hosts;
    std::optional<std::string> why;
    bool direct = !d.exchangers;
    if (d.exchangers) {
        dns::Answer mx = dns::query(d.host, dns::Type::mx, {.dnssec = true});
        if (mx.status == dns::Status::no_data || mx.status == dns::Status::no_name)
            direct = true;
        else if (mx.status == dns::Status::null_mx)
            why = fmt::format("Domain {} does not accept mail (nullMX)", d.host);
        else if (!mx)
            why = "Host or domain name not found. " + mx.reason;
        for (const dns::Record& r : mx.records) {
            if (!mx)
                break;
            Host host{
                .name = r.value, .address = {}, .lookup = {}, .exchanger = true, .secure_exchanger = mx.authenticated};
            if (auto no = add_host(o, settings, host, d.port, hosts))
                why = no;
        }
    }
    if (direct)
        why = add_host(o, settings, {.name = d.host, .address = {}, .lookup = {}}, d.port, hosts);
    if (hosts.empty())
        return permanent("Destination address lookup failed: " + why.value_or("no addresses"));
    int family = o.family == "ipv4"           ? AF_INET
                 : o.family == "ipv6"         ? AF_INET6
                 : std::random_device{}() % 2 ? AF_INET
                                              : AF_INET6;
    std::stable_partition(hosts.begin(), hosts.end(), [&](const Host& h) { return h.address.family() == family; });
    return hosts;
}
}
