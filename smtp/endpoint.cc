#include "endpoint.h"
#include <fmt/format.h>
#include <algorithm>
#include <random>
#include "base/bytes.h"
#include "config.h"
#include "dns/host.h"
#include "mail/address.h"

namespace smtp {
namespace {
std::mt19937& random_bits() {
    thread_local std::mt19937 engine{std::random_device{}()};
    return engine;
}

Error error(EnhancedStatus status, std::string reason) { return Error{status, std::move(reason)}; }

dns::Options dns_options(const Config& config) {
    return {.dnssec = config.dns_level == DnsLevel::dnssec, .own_domain = config.own_domain, .search = config.search};
}

// The addresses of one host, with this preference, added to the list; why it has none else.
std::optional<Error> add_host(const Config& config, const std::string& name, std::uint16_t preference,
                              std::uint16_t port, std::vector<Endpoint>& list, bool secure_name = true) {
    if (auto literal = net::Address::parse(name, port)) {
        if (!config.families.has(literal->family()))
            return error({5, 4, 4}, fmt::format("Name service error for {}: inet_protocols leaves out {}", name,
                                                literal->family() == AF_INET6 ? "IPv6" : "IPv4"));
        list.push_back({name, *literal, preference, {}});
        return std::nullopt;
    }
    std::optional<Error> why;
    for (HostLookup how : config.host_lookup) {
        bool native = how == HostLookup::native;
        const dns::Families families = config.families;
        dns::Addresses found = native ? dns::native_addresses(name, families, dns_options(config))
                                      : dns::dns_addresses(name, families, dns_options(config));
        if (found) {
            const std::string& shown = config.cname_overrides && !found.canonical.empty() ? found.canonical : name;
            tls::HostLookup lookup;
            if (!native)
                lookup = {name, found.canonical, config.dns_level == DnsLevel::dnssec && found.authenticated};
            for (const dns::Record& r : found.records)
                if (auto address = net::Address::parse(r.value, port))
                    list.push_back({shown, *address, preference, {}, lookup, secure_name});
            return std::nullopt;
        }
        std::uint8_t klass = found.temporary() ? 4 : 5;
        if (native)
            why = error({klass, 4, 4}, fmt::format("unable to look up host {}: {}", name, found.reason));
        else
            why = error({klass, 4, static_cast<std::uint16_t>(klass == 4 ? 3 : 4)},
                        "Host or domain name not found. " + found.reason);
        if (found.temporary())
            break;  // another source may know less
    }
    return why;
}

bool ours(const Config& config, const Endpoint& e) {
    return config.local.own_address(e.address.host()) || config.local.proxy_address(e.address.host());
}

// Equal preferences in random order; with a preferred address family that one first; then nearer preferences first.
void order(const Config& config, std::vector<Endpoint>& list) {
    if (config.randomize)
        std::shuffle(list.begin(), list.end(), random_bits());
    int first = config.preference == Preference::ipv4 ? AF_INET : config.preference == Preference::ipv6 ? AF_INET6 : 0;
    if (first)
        std::stable_partition(list.begin(), list.end(),
                              [first](const Endpoint& e) { return e.address.family() == first; });
    std::stable_sort(list.begin(), list.end(),
                     [](const Endpoint& a, const Endpoint& b) { return a.preference < b.preference; });
}

// Both families shall be tried before smtp_mx_address_limit ends the list: the last places within the limit go to the
// other one.
void balance(const Config& config, std::vector<Endpoint>& list) {
    std::size_t limit = config.address_limit;
    if (!config.balance || !config.families.ipv4 || !config.families.ipv6 || limit < 2 || list.size() <= limit)
        return;
    auto front = list.begin(), end = front + static_cast<std::ptrdiff_t>(limit);
    int family = front->address.family();
    if (!std::all_of(front, end, [family](const Endpoint& e) { return e.address.family() == family; }))
        return;
    std::size_t wanted = limit / 2;
    for (auto it = end; it != list.end() && wanted > 0; ++it) {
        if (it->address.family() == family)
            continue;
        std::rotate(list.begin() + static_cast<std::ptrdiff_t>(limit - wanted), it, it + 1);
        --wanted;
    }
}

HostList failed(Error why) { return {.endpoints = {}, .why = std::move(why)}; }
HostList looping(const std::string& host) {
    return {
        .endpoints = {}, .why = error({5, 4, 6}, fmt::format("mail for {} loops back to myself", host)), .loops = true};
}

HostList by_exchangers(const Config& config, const Destination& d, std::uint16_t port, bool detect_loops) {
    dns::Answer mx = dns::query(d.host, dns::Type::mx, dns_options(config));
    HostList result;
    switch (mx.status) {
    case dns::Status::found: break;
    case dns::Status::no_data:
    case dns::Status::no_name: {
        if (auto why = add_host(config, d.host, 0, port, result.endpoints))
            return failed(std::move(*why));
        return result;
    }
    case dns::Status::null_mx:
        return failed(error({5, 1, 0}, fmt::format("Domain {} does not accept mail (nullMX)", d.host)));
    case dns::Status::filtered:
        return failed(error({4, 7, 0}, fmt::format("unable to look up host {}: {}", d.host, mx.reason)));
    case dns::Status::invalid: return failed(error({5, 4, 4}, "Host or domain name not found. " + mx.reason));
    case dns::Status::temporary: {
        if (!config.ignore_mx_error)
            return failed(error({4, 4, 3}, "Host or domain name not found. " + mx.reason));
        if (auto why = add_host(config, d.host, 0, port, result.endpoints))
            return failed(std::move(*why));
        return result;
    }
    }
    std::optional<Error> last, temporary;
    for (const dns::Record& r : mx.records) {
        auto why = add_host(config, r.value, r.preference, port, result.endpoints, mx.authenticated);
        if (why)
            (why->status.temporary() ? temporary : last) = why;
    }
    if (result.endpoints.empty()) {
        if (temporary)
            return failed(std::move(*temporary));
        if (config.defer_without_mx_address)
            last->status.klass = 4;
        return failed(std::move(*last));
    }
    result.best_preference = mx.records.front().preference;
    if (!detect_loops)
        return result;
    // Hosts as near as ourselves or farther would only send it back.
    auto self = std::find_if(result.endpoints.begin(), result.endpoints.end(),
                             [&](const Endpoint& e) { return ours(config, e); });
    if (self == result.endpoints.end())
        return result;
    std::uint16_t own = self->preference;
    if (own == result.best_preference)
        return looping(d.host);
    std::erase_if(result.endpoints, [own](const Endpoint& e) { return e.preference >= own; });
    result.nearer_only = true;
    if (result.endpoints.empty())
        result.why = error({4, 4, 4}, fmt::format("unable to find primary relay for {}", d.host));
    return result;
}

// _submission._tcp.example.org: hosts with ports of their own, in the order that priorities and weights gave. Absent:
// go on without.
std::optional<HostList> by_services(const Config& config, const Destination& d) {
    dns::Answer srv = dns::query(fmt::format("_{}._tcp.{}", d.service, d.host), dns::Type::srv, dns_options(config));
    bool lookup_failed = srv.status == dns::Status::temporary;
    if (srv.status == dns::Status::no_data || srv.status == dns::Status::no_name ||
        (lookup_failed && config.srv_ignore_error)) {
        if (config.srv_fallback)
            return std::nullopt;
        return failed(error({static_cast<std::uint8_t>(lookup_failed ? 4 : 5), 4, 4},
                            "Host or domain name not found. " + srv.reason));
    }
    if (!srv)
        return failed(error({4, 4, 3}, "Host or domain name not found. " + srv.reason));
    HostList result;
    std::optional<Error> last, temporary;
    std::uint16_t place = 0;
    for (const dns::Record& r : srv.records) {
        auto why = add_host(config, r.value, place++, r.port, result.endpoints, srv.authenticated);
        if (why)
            (why->status.temporary() ? temporary : last) = why;
    }
    if (result.endpoints.empty()) {
        if (temporary)
            return failed(std::move(*temporary));
        return failed(last ? std::move(*last)
                           : error({5, 4, 4}, fmt::format("Service _{}._tcp is not offered by {}", d.service, d.host)));
    }
    result.best_preference = result.endpoints.front().preference;
    return result;
}
}

Result<Destination> parse_destination(const Config& config, std::string_view text) {
    Destination d;
    d.text = text;
    auto bad = [&] {
        return temporary(fmt::format("bad destination \"{}\"", bytes::printable(text.substr(0, 200))), {4, 3, 5});
    };
    if (text.starts_with("unix:")) {
        if (!config.lmtp || text.size() < 6)
            return bad();
        d.host = text.substr(5);
        d.path = true;
        return d;
    }
    if (text.starts_with("inet:"))
        text.remove_prefix(5);
    std::string_view port;
    if (text.starts_with("[")) {
        auto end = text.find(']');
        if (end == text.npos)
            return bad();
        d.host = text.substr(1, end - 1);
        port = text.substr(end + 1);
        if (!port.empty() && port[0] != ':')
            return bad();
        if (!port.empty())
            port.remove_prefix(1);
        if (bytes::istarts_with(d.host, "ipv6:"))
            d.host.erase(0, 5);
    } else {
        auto [host, after] = bytes::cut(text, ':');
        d.host = host;
        if (after)
            port = *after;
        d.exchangers = !config.lmtp && config.dns_level != DnsLevel::disabled;
    }
    if (d.host.empty() || d.host.size() > 255)
        return bad();
    bool bare = text.find('[') == text.npos;
    for (std::string_view service : bytes::split(config.srv_services, " \t\r\n,"))
        if (bare && bytes::iequals(service, port))
            d.service = bytes::lowered(service);
    if (config.dns_level == DnsLevel::disabled)
        d.service.clear();
    auto number = port.empty() ? std::optional(config.port) : conf::port_number(config.settings, port);
    if (!number && !d.service.empty())
        number = config.port;  // its records have the port
    if (!number)
        return temporary(fmt::format("unknown service in destination \"{}\"", bytes::printable(d.text)), {4, 3, 5});
    d.port = *number;
    if (!bytes::is_ascii(d.host)) {
        auto ascii = mail::to_ascii_domain(d.host);
        if (!ascii)
            return permanent(
                fmt::format("Host or domain name not found. Name service error for name={}: malformed name",
                            bytes::printable(d.host)),
                {5, 4, 4});
        d.host = *ascii;
    }
    return d;
}

std::string Endpoint::label() const { return fmt::format("{}[{}]", name, path.empty() ? address.host() : path); }
std::string Endpoint::label_with_port() const {
    return path.empty() ? fmt::format("{}[{}]:{}", name, address.host(), address.port()) : label();
}

HostList find_hosts(const Config& config, const Destination& d) {
    HostList result;
    if (d.path) {
        result.endpoints.push_back({config.myhostname, {}, 0, d.host});
        return result;
    }
    auto port = static_cast<std::uint16_t>(bytes::to_int(d.port).value_or(25));
    bool detect_loops = !config.lmtp && port == 25;
    std::optional<HostList> services;
    if (!d.service.empty() && !net::Address::parse(d.host))
        services = by_services(config, d);
    if (services) {
        result = std::move(*services);
    } else if (d.exchangers && !net::Address::parse(d.host)) {
        result = by_exchangers(config, d, port, detect_loops);
    } else if (auto why = add_host(config, d.host, 0, port, result.endpoints)) {
        return failed(std::move(*why));
    }
    if (result.why)
        return result;
    bool self = detect_loops && std::any_of(result.endpoints.begin(), result.endpoints.end(),
                                            [&](const Endpoint& e) { return ours(config, e); });
    if (self)
        return looping(d.host);
    order(config, result.endpoints);
    balance(config, result.endpoints);
    return result;
}
}
