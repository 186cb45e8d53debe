#include "conf/network.h"
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include "base/bytes.h"
#include "conf/params/global.h"
#include "conf/settings.h"

namespace conf {
namespace {
constexpr std::string_view separators = ", \t\r\n";
}

Result<Families> families(std::string_view inet_protocols) {
    Families f{false, false};
    for (std::string_view word : bytes::split(inet_protocols, separators)) {
        const bool all = bytes::iequals(word, "all"), ipv4 = bytes::iequals(word, "ipv4"),
                   ipv6 = bytes::iequals(word, "ipv6");
        if (!all && !ipv4 && !ipv6)
            return permanent(
                fmt::format("inet_protocols: \"{}\": all, ipv4 or ipv6 is expected", bytes::printable(word)));
        f.ipv4 = f.ipv4 || all || ipv4;
        f.ipv6 = f.ipv6 || all || ipv6;
    }
    if (!f.ipv4 && !f.ipv6)
        return permanent("inet_protocols: no protocol is left");
    return f;
}

std::optional<std::string> port_number(const Settings& settings, std::string_view port) {
    if (auto n = bytes::to_int(port))
        return *n >= 0 && *n <= 65535 ? std::optional(std::string(port)) : std::nullopt;
    for (std::string_view word :
         bytes::split(settings[param::known_tcp_ports], separators)) {  // "smtps=submissions=465"
        auto names = bytes::split(word, "=");
        for (std::size_t i = 0; i + 1 < names.size(); ++i)
            if (bytes::iequals(names[i], port))
                return std::string(names.back());
    }
    const servent* entry = getservbyname(std::string(port).c_str(), "tcp");
    if (!entry)
        return std::nullopt;
    return std::to_string(ntohs(static_cast<std::uint16_t>(entry->s_port)));
}
}
