#include "interface_check.h"
#include <netinet/in.h>
#include <cerrno>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/master_cf.h"
#include "conf/network.h"
#include "conf/params/cleanup.h"
#include "conf/params/global.h"
#include "conf/values.h"
#include "net/address.h"

namespace postfix {
namespace {
// Binding says it, as net.ipv4.ip_nonlocal_bind lets a host have addresses that come later. Port 0 is never taken.
bool on_this_host(net::Address address) {
    address.set_port(0);
    UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    return !fd || ::bind(fd.get(), address.get(), address.length()) == 0 || errno != EADDRNOTAVAIL;
}

std::string_view without_brackets(std::string_view host) {
    return host.size() > 2 && host.front() == '[' && host.back() == ']' ? host.substr(1, host.size() - 2) : host;
}

class Interfaces {
public:
    Interfaces(const conf::Families& families, std::vector<std::string>& problems)
        : families_(families), problems_(problems) {}

    // What is wrong with host, where it was written.
    void look(const std::string& where, std::string_view written) {
        const std::string host(without_brackets(written));
        auto wrong = [&](const std::string& what) { problems_.push_back(where + ": " + host + what); };
        if (std::optional<net::Address> literal = net::Address::parse(host)) {
            if (allowed(literal->family()) && !on_this_host(*literal))
                wrong(" is no address of this host");
            return;
        }
        Result<std::vector<net::Address>> found = net::resolve(host, "0",
                                                               families_.ipv4 && families_.ipv6 ? AF_UNSPEC
                                                               : families_.ipv4                 ? AF_INET
                                                                                                : AF_INET6,
                                                               true);
        if (!found)
            return wrong(": host not found (" + found.error().reason + ")");
        for (const net::Address& address : *found)
            if (!on_this_host(address))
                wrong(" has the address " + address.host() + ", which is none of this host");
    }

private:
    bool allowed(int family) const { return family == AF_INET ? families_.ipv4 : families_.ipv6; }
    conf::Families families_;
    std::vector<std::string>& problems_;
};
}

std::vector<std::string> interface_problems(const conf::Settings& s) {
    std::vector<std::string> problems;
    Result<conf::Families> families = conf::families(s[param::inet_protocols]);
    Result<std::vector<conf::MasterEntry>> entries = conf::read_master_cf(s.directory() + "/master.cf");
    if (!families)
        return {"inet_protocols: " + families.error().reason};
    if (!entries)
        return {entries.error().reason};
    Interfaces interfaces(*families, problems);
    for (std::string_view word : bytes::split(s[param::inet_interfaces], ", \t\r\n"))
        if (word != "all" && word != "*" && word != "loopback-only")
            interfaces.look(s.directory() + "/main.cf: inet_interfaces", word);
    for (const conf::MasterEntry& entry : conf::effective(*entries)) {
        if (entry.service_type() != conf::ServiceType::inet || conf::disabled(entry, s[param::master_service_disable]))
            continue;
        const std::string where =
            s.directory() + "/master.cf, line " + std::to_string(entry.line) + ": service " + entry.name + "/inet";
        if (!conf::port_number(s, entry.port()))
            problems.push_back(where + ": port " + entry.port() +
                               ": neither a number from 0 to 65535 nor a service that is known");
        if (const std::string host = entry.host(); !host.empty() && host != "*")
            interfaces.look(where, host);
    }
    return problems;
}
}
