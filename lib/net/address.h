// Addresses of peers: IPv4, IPv6 and UNIX-domain, as sockaddr, as text and as SMTP and logs show them.
#pragma once
#include <sys/socket.h>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"

namespace net {
class Address {
public:
    Address() = default;  // unspecified (family AF_UNSPEC)
    Address(const sockaddr* sa, socklen_t length);
    // "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "IPv6:2001:db8::1": no names. Absent where text is not an address.
    static std::optional<Address> parse(std::string_view text, std::uint16_t port = 0);
    static Address unix_path(std::string_view path);

    int family() const { return storage_.ss_family; }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t length() const { return length_; }
    std::string host() const;          // "192.0.2.1", "2001:db8::1"; mapped IPv4 (::ffff:…) as IPv4; UNIX: the path
    std::string smtp_literal() const;  // "192.0.2.1", "IPv6:2001:db8::1"
    std::uint16_t port() const;
    void set_port(std::uint16_t port);
    std::string network_bytes() const;  // 4 or 16 bytes, mapped IPv4 as 4; empty for UNIX
    bool loopback() const;
    friend bool operator==(const Address& a, const Address& b) {
        return a.network_bytes() == b.network_bytes() && a.port() == b.port();
    }

private:
    sockaddr_storage storage_{};
    socklen_t length_ = 0;
};

// The addresses of this host's interfaces that are up, with their prefix lengths.
struct Interface {
    Address address;
    int prefix_length = 0;
};
std::vector<Interface> interfaces();
// getaddrinfo(3) for a listening or connecting endpoint; blocks: use loop::offload where a fiber asks. family AF_UNSPEC
// for both.
Result<std::vector<Address>> resolve(const std::string& host, const std::string& service, int family,
                                     bool passive = false);
}
