#include "proxy_protocol.h"
#include <sys/socket.h>
#include <netinet/in.h>
#include <cstring>
#include "base/bytes.h"

namespace smtpd {
namespace {
constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t line_limit = 107;  // the specification's
constexpr std::size_t block_limit = 4096;

std::optional<std::uint16_t> port_of(std::string_view text) {
    auto n = bytes::to_int(text);
    if (!n || *n < 0 || *n > 65535 || text.size() > 5)
        return std::nullopt;
    return static_cast<std::uint16_t>(*n);
}
}

Result<Proxied> parse_proxy_line(std::string_view line) {
    std::vector<std::string_view> words = bytes::split(line, " ");
    if (words.size() < 2 || words[0] != "PROXY")
        return permanent("unexpected protocol header");
    if (words[1] == "UNKNOWN")
        return Proxied{true, {}, {}};
    if (words.size() != 6 || (words[1] != "TCP4" && words[1] != "TCP6"))
        return permanent("unexpected protocol type or number of words");
    auto from = port_of(words[4]), to = port_of(words[5]);
    if (!from || !to)
        return permanent("bad port syntax");
    auto client = net::Address::parse(words[2], *from), server = net::Address::parse(words[3], *to);
    int family = words[1] == "TCP4" ? AF_INET : AF_INET6;
    if (!client || client->family() != family)
        return permanent("bad client address syntax");
    if (!server || server->family() != family)
        return permanent("bad server address syntax");
    return Proxied{false, *client, *server};
}

// version and command, family, length (2), addresses.
Result<Proxied> parse_proxy_block(std::string_view block) {
    if (block.size() < 4)
        return permanent("short version 2 header");
    auto at = [&](std::size_t i) { return static_cast<unsigned char>(block[i]); };
    if ((at(0) & 0xf0) != 0x20)
        return permanent("unexpected version");
    if ((at(0) & 0x0f) == 0)
        return Proxied{true, {}, {}};
    if ((at(0) & 0x0f) != 1)
        return permanent("unexpected command");
    std::string_view body = block.substr(4);
    if (at(1) == 0x11) {
        if (body.size() < 12)
            return permanent("short version 2 address");
        sockaddr_in client{}, server{};
        client.sin_family = server.sin_family = AF_INET;
        std::memcpy(&client.sin_addr, body.data(), 4);
        std::memcpy(&server.sin_addr, body.data() + 4, 4);
        std::memcpy(&client.sin_port, body.data() + 8, 2);
        std::memcpy(&server.sin_port, body.data() + 10, 2);
        return Proxied{false, net::Address(reinterpret_cast<sockaddr*>(&client), sizeof client),
                       net::Address(reinterpret_cast<sockaddr*>(&server), sizeof server)};
    }
    if (at(1) == 0x21) {
        if (body.size() < 36)
            return permanent("short version 2 address");
        sockaddr_in6 client{}, server{};
        client.sin6_family = server.sin6_family = AF_INET6;
        std::memcpy(&client.sin6_addr, body.data(), 16);
        std::memcpy(&server.sin6_addr, body.data() + 16, 16);
        std::memcpy(&client.sin6_port, body.data() + 32, 2);
        std::memcpy(&server.sin6_port, body.data() + 34, 2);
        return Proxied{false, net::Address(reinterpret_cast<sockaddr*>(&client), sizeof client),
                       net::Address(reinterpret_cast<sockaddr*>(&server), sizeof server)};
    }
    return permanent("unexpected address family or protocol");
}

Result<Proxied> read_proxy_header(net::Stream& stream, loop::Deadline deadline) {
    char first[16];
    TRY(stream.read_exact(first, 1, deadline));
    if (first[0] != signature[0]) {
        std::string line(1, first[0]);
        TRY_ASSIGN(std::string_view rest, stream.read_until('\n', line_limit, deadline));
        line += rest;
        if (line.ends_with('\r'))
            line.pop_back();
        return parse_proxy_line(line);
    }
    TRY(stream.read_exact(first + 1, 15, deadline));
    if (std::string_view(first, 12) != signature)
        return permanent("unexpected protocol header");
    std::size_t length = static_cast<unsigned char>(first[14]) << 8 | static_cast<unsigned char>(first[15]);
    if (length > block_limit)
        return permanent("version 2 header too long");
    std::string block(first + 12, 4);
    block.resize(4 + length);
    TRY(stream.read_exact(block.data() + 4, length, deadline));
    return parse_proxy_block(block);
}
}
