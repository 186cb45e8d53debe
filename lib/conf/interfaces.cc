#include "conf/interfaces.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "conf/network.h"

namespace conf {
namespace {
struct Interface {
    int family;
    std::array<unsigned char, 16> address{}, mask{};
    bool loopback;
    std::size_t size() const { return family == AF_INET ? 4 : 16; }
};

bool fill(const sockaddr* from, std::array<unsigned char, 16>& to) {
    if (from->sa_family == AF_INET)
        memcpy(to.data(), &reinterpret_cast<const sockaddr_in*>(from)->sin_addr, 4);
    else if (from->sa_family == AF_INET6)
        memcpy(to.data(), &reinterpret_cast<const sockaddr_in6*>(from)->sin6_addr, 16);
    else
        return false;
    return true;
}

std::vector<Interface> system_interfaces(bool v4, bool v6) {
    std::vector<Interface> out;
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0)
        return out;
    std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
    for (const ifaddrs* i = list; i; i = i->ifa_next) {
        if (!i->ifa_addr || !(i->ifa_flags & IFF_UP))
            continue;
        int family = i->ifa_addr->sa_family;
        if (!(family == AF_INET && v4) && !(family == AF_INET6 && v6))
            continue;
        Interface one{family, {}, {}, (i->ifa_flags & IFF_LOOPBACK) != 0};
        if (!fill(i->ifa_addr, one.address))
            continue;
        one.mask.fill(0xff);
        if (i->ifa_netmask && i->ifa_netmask->sa_family == family)
            fill(i->ifa_netmask, one.mask);
        out.push_back(one);
    }
    // IPv4 first, as administrators are used to see it.
    std::stable_sort(out.begin(), out.end(),
                     [](const Interface& a, const Interface& b) { return a.family == AF_INET && b.family != AF_INET; });
    return out;
}

// The addresses that one member of inet_interfaces names.
std::vector<std::array<unsigned char, 17>> resolve(std::string member) {
    std::vector<std::array<unsigned char, 17>> out;
    if (member.size() > 2 && member.front() == '[' && member.back() == ']')
        member = member.substr(1, member.size() - 2);
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(member.c_str(), nullptr, &hints, &found) != 0)
        return out;
    std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
    for (const addrinfo* a = found; a; a = a->ai_next) {
        std::array<unsigned char, 16> address{};
        if (!fill(a->ai_addr, address))
            continue;
        std::array<unsigned char, 17> key{};
        key[0] = a->ai_family == AF_INET ? 4 : 6;
        std::copy(address.begin(), address.end(), key.begin() + 1);
        out.push_back(key);
    }
    return out;
}

std::vector<Interface> chosen(std::vector<Interface> all, std::string_view interfaces) {
    auto members = bytes::split(interfaces, ", \t\r\n");
    if (members.empty() || (members.size() == 1 && bytes::iequals(members[0], "all")))
        return all;
    std::vector<std::array<unsigned char, 17>> wanted;
    bool loopback_only = false;
    for (std::string_view member : members) {
        if (bytes::iequals(member, "all"))
            return all;
        if (bytes::iequals(member, "loopback-only")) {
            loopback_only = true;
            continue;
        }
        for (auto& key : resolve(std::string(member)))
            wanted.push_back(key);
    }
    std::vector<Interface> out;
    for (Interface& i : all) {
        std::array<unsigned char, 17> key{};
        key[0] = i.family == AF_INET ? 4 : 6;
        std::copy(i.address.begin(), i.address.end(), key.begin() + 1);
        if ((loopback_only && i.loopback) || std::find(wanted.begin(), wanted.end(), key) != wanted.end())
            out.push_back(i);
    }
    return out;
}

int prefix_length(const Interface& i, std::string_view style) {
    if (style == "subnet") {
        int bits = 0;
        for (std::size_t n = 0; n < i.size(); ++n)
            bits += __builtin_popcount(i.mask[n]);
        return bits;
    }
    if (style == "class" && i.family == AF_INET)
        return i.address[0] < 128 ? 8 : i.address[0] < 192 ? 16 : 24;
    if (style == "class") {
        int bits = 0;
        for (std::size_t n = 0; n < i.size(); ++n)
            bits += __builtin_popcount(i.mask[n]);
        return bits;
    }
    return i.family == AF_INET ? 32 : 128;
}

std::string network_text(const Interface& i, int bits) {
    std::array<unsigned char, 16> network = i.address;
    for (std::size_t n = 0; n < network.size(); ++n) {
        int here = std::clamp(bits - static_cast<int>(n) * 8, 0, 8);
        network[n] &= static_cast<unsigned char>(0xff00 >> here);
    }
    char text[INET6_ADDRSTRLEN] = {};
    inet_ntop(i.family, network.data(), text, sizeof text);
    std::string out = i.family == AF_INET ? std::string(text) : "[" + std::string(text) + "]";
    return out + "/" + std::to_string(bits);
}
}

std::string local_networks(std::string_view style, std::string_view interfaces, std::string_view protocols) {
    const Families wanted = families(protocols).value_or(Families{});
    std::string out;
    std::vector<std::string> seen;
    for (const Interface& i : chosen(system_interfaces(wanted.ipv4, wanted.ipv6), interfaces)) {
        std::string text = network_text(i, prefix_length(i, style));
        if (std::find(seen.begin(), seen.end(), text) != seen.end())
            continue;
        seen.push_back(text);
        if (!out.empty())
            out += ' ';
        out += text;
    }
    return out.empty() ? "127.0.0.1/32 [::1]/128" : out;
}
}
