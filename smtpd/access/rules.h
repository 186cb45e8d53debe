// The rules that a restriction list may name: a row each in rules.cc, with what follows the name in a list, what must
// be known before the rule has anything to say, and the function. The functions are in the files named here; each takes
// the evaluation it is part of and its own place in the list, and returns what it comes to.
#pragma once
#include <string_view>

namespace smtpd {
class Check;
struct Restriction;

enum class Phase : unsigned char { client, helo, sender, relay, recipient, data, end_of_data, etrn };
enum class Verdict : unsigned char { dunno, permit, reject };

// What follows a rule's name in a list.
enum class Argument : unsigned char { none, table, dns_list, seconds, certificate_search };
// Whom or what a rule judges; where that is not known (no HELO yet, no recipient) the rule says nothing.
enum class Of : unsigned char { command, client, reverse_client, helo, sender, recipient, etrn };

struct Rule {
    std::string_view name;
    Argument argument;
    Of of;
    Verdict (*judge)(Check&, const Restriction&);
    unsigned char marks = 0;
    enum : unsigned char {
        last = 1,   // nothing behind it is ever reached
        guard = 2,  // keeps strangers from relaying
        warn = 4    // warn_if_reject: what the next rule refuses is only logged
    };
    bool is(unsigned char mark) const { return (marks & mark) != 0; }
};

const Rule* find_rule(std::string_view name);  // null: no such rule is built
// The rule that a bare table stands for in a list of this phase.
const Rule& table_rule(Phase phase);

// Steps of a list that no name stands for.
extern const Rule broken_rule;   // misspelt or not built: 451 4.3.5
extern const Rule nothing_rule;  // asks for what no client has
extern const Rule members_rule;  // a restriction class: its own list

namespace rule {
// client.cc
Verdict own_interfaces(Check&, const Restriction&);
Verdict mynetworks(Check&, const Restriction&);
Verdict unknown_client(Check&, const Restriction&);
Verdict unknown_forward_client(Check&, const Restriction&);
Verdict unknown_reverse_client(Check&, const Restriction&);
Verdict early_pipelining(Check&, const Restriction&);
Verdict plaintext(Check&, const Restriction&);
// helo.cc
Verdict invalid_helo(Check&, const Restriction&);
Verdict non_fqdn_helo(Check&, const Restriction&);
Verdict unknown_helo(Check&, const Restriction&);
// address.cc
Verdict non_fqdn_address(Check&, const Restriction&);
Verdict unknown_domain(Check&, const Restriction&);
Verdict unlisted(Check&, const Restriction&);
Verdict multi_recipient_bounce(Check&, const Restriction&);
// relay.cc
Verdict permit_destination(Check&, const Restriction&);
Verdict reject_destination(Check&, const Restriction&);
Verdict defer_destination(Check&, const Restriction&);
Verdict mx_backup(Check&, const Restriction&);
// dns_lists.cc
Verdict address_blocked(Check&, const Restriction&);
Verdict address_allowed(Check&, const Restriction&);
Verdict domain_blocked(Check&, const Restriction&);
Verdict domain_allowed(Check&, const Restriction&);
// certificate.cc
Verdict all_certificates(Check&, const Restriction&);
Verdict listed_certificate(Check&, const Restriction&);
Verdict table_certificate(Check&, const Restriction&);
// table.cc
Verdict table_client(Check&, const Restriction&);
Verdict table_name(Check&, const Restriction&);
Verdict table_address(Check&, const Restriction&);
Verdict table_hosts(Check&, const Restriction&);
Verdict table_exchangers(Check&, const Restriction&);
Verdict table_nameservers(Check&, const Restriction&);
}
}
