#include "dns/dnssec.h"
#include <arpa/inet.h>
#include <fmt/format.h>
#include <algorithm>
#include <array>
#include "base/bytes.h"
#include "dns/host.h"
#include "log/log.h"

namespace dns {
namespace {
struct Probe {
    std::string text, name;  // text: as main.cf has it; empty: nothing is asked
    Type type = Type::ns;
    bool settled = false;  // validation was seen, or the probe was sent
};
Probe& probe() {
    static Probe one;
    return one;
}

std::optional<Type> type_by_name(std::string_view text) {
    for (Type type :
         {Type::a, Type::ns, Type::cname, Type::soa, Type::ptr, Type::mx, Type::txt, Type::aaaa, Type::srv, Type::tlsa})
        if (bytes::iequals(name_of(type), text))
            return type;
    return std::nullopt;
}

bool on_loopback(std::string server) {  // "192.0.2.1", "192.0.2.1:53" or "[2001:db8::1]:53"
    if (server.starts_with("["))
        server = server.substr(1, server.find(']') - 1);
    else
        server = server.substr(0, server.find(':'));
    std::string address = canonical_address(server);
    return address == "::1" || address.starts_with("127.") || address.starts_with("::ffff:127.");
}
}

Result<void> set_dnssec_probe(std::string_view text) {
    probe() = {};
    if (text.empty())
        return {};
    auto [type_name, name] = bytes::cut(text, ':');
    auto type = type_by_name(type_name);
    if (!type || !name || name->empty())
        return permanent(fmt::format("malformed DNS query type:name \"{}\"", bytes::printable(text)), {5, 3, 5});
    probe() = {std::string(text), std::string(*name), *type, false};
    return {};
}

std::vector<std::string> distant_servers() {
    std::vector<std::string> distant = host_system().servers;
    std::erase_if(distant, on_loopback);
    return distant;
}

void watch_validation(const Answer& answer) {
    Probe& p = probe();
    if (p.settled || p.text.empty())
        return;
    p.settled = true;  // before the probe waits, and comes back here itself
    if (answer.authenticated)
        return;
    Answer reply = query(p.name, p.type, {.deadline = loop::in(std::chrono::seconds(30)), .dnssec = true});
    if (reply.authenticated)
        return;
    maillog::warning("DNSSEC validation may be unavailable");
    if (reply.temporary())
        maillog::warning("reason: dnssec_probe '{}' received no response: Server failure", p.text);
    else
        maillog::warning("reason: dnssec_probe '{}' received a response that is not DNSSEC validated", p.text);
}
}
