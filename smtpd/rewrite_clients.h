// local_header_rewrite_clients: whose messages count as ours, so that the addresses in their headers are completed.
//
// When things fail: a table that does not answer includes nobody; for relay_clientcerts there is a warning.
#pragma once
#include "conf/settings.h"
#include "table/match_list.h"

namespace smtpd {
class Client;
class Service;

class HeaderRewriteClients {
public:
    // Before the jail: opens the tables that the setting names.
    void open(const conf::Settings& settings);
    bool include(Client& client, const Service& service) const;

private:
    bool interfaces_ = false, mynetworks_ = false, trusted_certificates_ = false, listed_certificates_ = false;
    table::MatchList networks_;
};
}
