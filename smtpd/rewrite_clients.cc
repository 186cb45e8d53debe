#include "rewrite_clients.h"
#include "base/bytes.h"
#include "client.h"
#include "conf/params/smtpd.h"
#include "service.h"

namespace smtpd {
// Two words, and lists of networks.
void HeaderRewriteClients::open(const conf::Settings& settings) {
    std::string tables;
    std::vector<std::string_view> words =
        bytes::split_outside_braces(settings[param::local_header_rewrite_clients], ", \t\r\n");
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "permit_inet_interfaces")
            interfaces_ = true;
        else if (words[i] == "permit_mynetworks")
            mynetworks_ = true;
        else if (words[i] == "static:all")
            interfaces_ = mynetworks_ = true, tables = "0.0.0.0/0 [::]/0";
        else if (words[i] == "check_address_map" && i + 1 < words.size())
            tables += " " + std::string(words[++i]);
        else if (words[i].starts_with("permit_"))
            continue;  // by login or certificate: not built
        else
            tables += " " + std::string(words[i]);
    }
    networks_ = table::MatchList::open("local_header_rewrite_clients", tables, table::MatchList::Kind::hosts);
}

bool HeaderRewriteClients::include(Client& client, const Service& service) const {
    if (interfaces_ && (client.here() || service.local_domains.own_address(client.address)))
        return true;
    if (mynetworks_ && client.in_mynetworks(service))
        return true;
    auto match = networks_.match(client.name, client.address);
    return match && *match;
}
}
