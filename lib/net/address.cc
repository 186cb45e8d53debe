#include "net/address.h"
#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include "base/bytes.h"

namespace net {
namespace {
const sockaddr_in& v4(const sockaddr_storage& s) { return reinterpret_cast<const sockaddr_in&>(s); }
const sockaddr_in6& v6(const sockaddr_storage& s) { return reinterpret_cast<const sockaddr_in6&>(s); }
sockaddr_in& v4(sockaddr_storage& s) { return reinterpret_cast<sockaddr_in&>(s); }
sockaddr_in6& v6(sockaddr_storage& s) { return reinterpret_cast<sockaddr_in6&>(s); }
}

Address::Address(const sockaddr* sa, socklen_t length) : length_(std::min<socklen_t>(length, sizeof storage_)) {
    std::memcpy(&storage_, sa, length_);
}

std::optional<Address> Address::parse(std::string_view text, std::uint16_t port) {
    if (text.size() > 2 && text.front() == '[' && text.back() == ']')
        text = text.substr(1, text.size() - 2);
    if (bytes::istarts_with(text, "IPv6:"))
        text.remove_prefix(5);
    std::string s(text);
    Address a;
    if (s.size() < INET6_ADDRSTRLEN && inet_pton(AF_INET, s.c_str(), &v4(a.storage_).sin_addr) == 1) {
        a.storage_.ss_family = AF_INET;
        a.length_ = sizeof(sockaddr_in);
    } else if (s.size() < INET6_ADDRSTRLEN && inet_pton(AF_INET6, s.c_str(), &v6(a.storage_).sin6_addr) == 1) {
        a.storage_.ss_family = AF_INET6;
        a.length_ = sizeof(sockaddr_in6);
    } else {
        return std::nullopt;
    }
    a.set_port(port);
    return a;
}

Address Address::unix_path(std::string_view path) {
    Address a;
    auto& un = reinterpret_cast<sockaddr_un&>(a.storage_);
    a.storage_.ss_family = AF_UNIX;
    std::size_t n = std::min(path.size(), sizeof un.sun_path - 1);
    std::memcpy(un.sun_path, path.data(), n);
    a.length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + n + 1);
    return a;
}

std::string Address::network_bytes() const {
    if (family() == AF_INET)
        return std::string(reinterpret_cast<const char*>(&v4(storage_).sin_addr), 4);
    if (family() != AF_INET6)
        return {};
    const char* p = reinterpret_cast<const char*>(&v6(storage_).sin6_addr);
    return IN6_IS_ADDR_V4MAPPED(&v6(storage_).sin6_addr) ? std::string(p + 12, 4) : std::string(p, 16);
}

std::string Address::host() const {
    if (family() == AF_UNIX)
        return reinterpret_cast<const sockaddr_un&>(storage_).sun_path;
    std::string raw = network_bytes();
    if (raw.empty())
        return "unknown";
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(raw[i]); };
    if (raw.size() == 4)
        return fmt::format("{}.{}.{}.{}", byte(0), byte(1), byte(2), byte(3));  // inet_ntop goes through sprintf
    char buffer[INET6_ADDRSTRLEN] = "";
    inet_ntop(AF_INET6, raw.data(), buffer, sizeof buffer);
    return buffer;
}

std::string Address::smtp_literal() const { return (network_bytes().size() == 16 ? "IPv6:" : "") + host(); }

std::uint16_t Address::port() const {
    if (family() == AF_INET)
        return ntohs(v4(storage_).sin_port);
    if (family() == AF_INET6)
        return ntohs(v6(storage_).sin6_port);
    return 0;
}

void Address::set_port(std::uint16_t port) {
    if (family() == AF_INET)
        v4(storage_).sin_port = htons(port);
    if (family() == AF_INET6)
        v6(storage_).sin6_port = htons(port);
}

bool Address::loopback() const {
    std::string raw = network_bytes();
    if (raw.size() == 4)
        return raw[0] == 127;
    return raw.size() == 16 && IN6_IS_ADDR_LOOPBACK(&v6(storage_).sin6_addr);
}

std::vector<Interface> interfaces() {
    std::vector<Interface> found;
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0)
        return found;
    std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> hold(list, freeifaddrs);
    for (ifaddrs* i = list; i; i = i->ifa_next) {
        if (!i->ifa_addr || !(i->ifa_flags & IFF_UP))
            continue;
        int family = i->ifa_addr->sa_family;
        if (family != AF_INET && family != AF_INET6)
            continue;
        auto size = static_cast<socklen_t>(family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
        Interface entry{Address(i->ifa_addr, size), 0};
        if (i->ifa_netmask) {
            sockaddr_storage mask{};
            std::memcpy(&mask, i->ifa_netmask, size);
            const void* p = family == AF_INET ? static_cast<const void*>(&v4(mask).sin_addr) : &v6(mask).sin6_addr;
            for (std::size_t b = 0; b < (family == AF_INET ? 4u : 16u); ++b)
                entry.prefix_length += __builtin_popcount(static_cast<const unsigned char*>(p)[b]);
        }
        found.push_back(entry);
    }
    return found;
}

Result<std::vector<Address>> resolve(const std::string& host, const std::string& service, int family, bool passive) {
    addrinfo hints{}, *list = nullptr;
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = passive ? AI_PASSIVE : 0;
    int rc =
        getaddrinfo(host.empty() ? nullptr : host.c_str(), service.empty() ? nullptr : service.c_str(), &hints, &list);
    if (rc != 0) {
        std::string reason =
            (host.empty() ? service : host) + ": " + (rc == EAI_SYSTEM ? errno_text(errno) : gai_strerror(rc));
        return rc == EAI_NONAME ? permanent(std::move(reason), {5, 4, 4}) : temporary(std::move(reason), {4, 4, 3});
    }
    std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> hold(list, freeaddrinfo);
    std::vector<Address> addresses;
    for (addrinfo* i = list; i; i = i->ai_next)
        addresses.emplace_back(i->ai_addr, i->ai_addrlen);
    return addresses;
}
}
