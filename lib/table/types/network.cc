#include "table/types/network.h"
#include <arpa/inet.h>
#include <cstring>
#include <fmt/format.h>
#include "base/bytes.h"

namespace table {
std::optional<Ip> Ip::parse(std::string_view text) {
    char copy[INET6_ADDRSTRLEN];
    if (text.empty() || text.size() >= sizeof copy)
        return std::nullopt;
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = '\0';
    Ip ip;
    ip.v6 = text.find(':') != std::string_view::npos;
    if (inet_pton(ip.v6 ? AF_INET6 : AF_INET, copy, ip.bytes.data()) != 1)
        return std::nullopt;
    return ip;
}

std::string Ip::text() const {
    char text[INET6_ADDRSTRLEN];
    return inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof text) ? text : "";
}

namespace {
Ip masked(Ip ip, unsigned length) {
    for (unsigned bit = 0; bit < ip.bits(); bit += 8) {
        unsigned keep = length > bit ? std::min(8u, length - bit) : 0;
        ip.bytes[bit / 8] = static_cast<std::uint8_t>(ip.bytes[bit / 8] & (0xff00u >> keep));
    }
    return ip;
}
}

Result<Network> Network::parse(std::string_view text) {
    std::string_view address = text, length;
    bool has_length = false;
    auto bad = [&] { return permanent(fmt::format("bad address pattern: \"{}\"", text)); };
    if (text.starts_with('[')) {
        std::size_t close = text.find(']');
        if (close == std::string_view::npos)
            return bad();
        address = text.substr(1, close - 1);
        std::string_view rest = text.substr(close + 1);
        if (!rest.empty() && rest[0] != '/')
            return bad();
        has_length = !rest.empty();
        if (has_length)
            length = rest.substr(1);
    }
    if (std::size_t slash = address.find('/');
        slash != std::string_view::npos && !has_length) {  // "[1.2.3.0/24]" is written too
        has_length = true;
        length = address.substr(slash + 1);
        address = address.substr(0, slash);
    }
    std::optional<Ip> ip = Ip::parse(address);
    if (!ip)
        return bad();
    Network network{*ip, ip->bits()};
    if (!has_length)
        return network;
    std::optional<std::int64_t> bits = bytes::to_int(length);
    if (!bits)
        return permanent(fmt::format("bad mask value in \"{}\"", text));
    if (*bits < 0 || *bits > ip->bits())
        return permanent(fmt::format("bad mask length in \"{}\"", text));
    network.length = static_cast<unsigned>(*bits);
    Ip base = masked(*ip, network.length);
    if (!(base == *ip))
        return permanent(fmt::format("non-null host address bits in \"{}\", perhaps you should use \"{}/{}\" instead",
                                     text, base.text(), network.length));
    return network;
}

bool Network::contains(const Ip& ip) const { return ip.v6 == address.v6 && masked(ip, length) == address; }
}
