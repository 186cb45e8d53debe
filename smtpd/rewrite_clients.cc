#include "rewrite_clients.h"
#include "base/bytes.h"
#include "client.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "service.h"
#include "tls/info.h"

namespace smtpd {
// Words for whom, and lists of networks.
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
        else if (words[i] == "permit_tls_all_clientcerts")
            trusted_certificates_ = true;
        else if (words[i] == "permit_tls_clientcerts")
            listed_certificates_ = true;
        else if (words[i].starts_with("permit_"))
            continue;  // permit_sasl_authenticated: nobody can log in
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
    if (trusted_certificates_ && client.certificate() && client.certificate()->trusted())
        return true;
    if (listed_certificates_) {
        auto listed = client.certificate_listed(service);
        if (!listed)
            maillog::warning("relay_clientcerts: {}", listed.error().reason);
        if (listed && *listed)
            return true;
    }
    auto match = networks_.match(client.name, client.address);
    return match && *match;
}
}
