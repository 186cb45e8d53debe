#include "table/local_domains.h"
#include <algorithm>
#include "base/bytes.h"
#include "conf/settings.h"
#include "conf/params/cleanup.h"
#include "conf/network.h"
#include "conf/params/global.h"
#include "conf/params/smtp.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "loop/loop.h"
#include "mail/address.h"
#include "net/address.h"
#include "table/types/network.h"

namespace table {
namespace {
bool has(const std::vector<std::string>& list, std::string_view item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

void add(std::vector<std::string>& list, const net::Address& address) {
    std::string text = address.host();
    if (!has(list, text))
        list.push_back(std::move(text));
}

// The addresses that a list of host names and addresses means.
void add_hosts(std::vector<std::string>& list, std::string_view title, std::string_view value,
               const conf::Families& families) {
    for (std::string_view item : bytes::split(value, ", \t\r\n")) {
        if (item == "all" || item == "loopback-only") {
            for (const net::Interface& interface : net::interfaces())
                if (families.has(interface.address.family()) && (item == "all" || interface.address.loopback()))
                    add(list, interface.address);
            continue;
        }
        std::string_view bare =
            item.size() > 2 && item.front() == '[' && item.back() == ']' ? item.substr(1, item.size() - 2) : item;
        if (std::optional<net::Address> address = net::Address::parse(bare)) {
            if (families.has(address->family()))
                add(list, *address);
            continue;
        }
        Result<std::vector<net::Address>> found = temporary("");
        loop::offload([&] { found = net::resolve(std::string(item), "", AF_UNSPEC); });
        if (!found) {
            maillog::warning("{}: host not found: {}: {}", title, item, found.error().reason);
            continue;
        }
        for (const net::Address& address : *found)
            if (families.has(address.family()))
                add(list, address);
    }
}
}

std::vector<std::string> own_addresses(const conf::Settings& settings) {
    std::vector<std::string> list;
    add_hosts(list, "inet_interfaces", settings[param::inet_interfaces],
              conf::families(settings[param::inet_protocols]).value_or(conf::Families{}));
    return list;
}

LocalDomains LocalDomains::open(const conf::Settings& settings) {
    LocalDomains local;
    local.mydestination_ =
        MatchList::open("mydestination", settings[param::mydestination], MatchList::Kind::domains,
                        parents_of(settings, "mydestination") == Parents::bare ? Parents::bare : Parents::none);
    local.myorigin_ = folded(settings[param::myorigin], true);
    local.own_ = own_addresses(settings);
    add_hosts(local.proxy_, "proxy_interfaces", settings[param::proxy_interfaces], {});
    return local;
}

Result<bool> LocalDomains::is_local(std::string_view domain) const {
    if (domain.empty())
        return false;
    if (domain.front() == '[') {
        if (domain.back() != ']')
            return false;
        std::optional<std::string> address = mail::address_literal(domain.substr(1, domain.size() - 2));
        std::optional<Ip> ip = address ? Ip::parse(*address) : std::nullopt;
        if (!ip)
            return false;
        std::string text = ip->text();
        return own_address(text) || proxy_address(text);
    }
    return mydestination_.match(domain);
}

Result<bool> LocalDomains::rewrites_bare(std::string_view domain) const {
    if (bytes::iequals(domain, myorigin_))
        return true;
    return is_local(domain);
}

bool LocalDomains::own_address(std::string_view address) const { return has(own_, address); }
bool LocalDomains::proxy_address(std::string_view address) const { return has(proxy_, address); }
}
