// What access rules leave behind in a session, from one command to the next.
#pragma once
#include <string>
#include <vector>
#include "dns/dns.h"
#include "transaction.h"

namespace smtpd {
struct AccessState {
    std::string denied{};   // smtpd_delay_reject=no, and the client's rules refused
    Actions actions{};      // of client and HELO rules, without smtpd_delay_reject: for every message
    Deferrals deferrals{};  // of the rules before MAIL's
    // Answers of DNS lists.
    struct Answer {
        std::string name;
        bool txt;
        dns::Answer answer;
    };
    std::vector<Answer> dns_cache{};
};
}
