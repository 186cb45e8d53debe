// Questions to the domain name system, from a fiber (the others go on) or outside one (the caller blocks). Name servers
// are those of the host's resolv.conf, read once by open(): call it as root, before the jail.
//
//     dns::Answer mx = dns::query("example.org", dns::Type::mx, {.deadline = loop::Clock::now() + 30s});
//     if (mx.status == dns::Status::found) for (const dns::Record& r : mx.records) …
//
// When things fail: never an exception of ours; Answer::status says how, and whether asking again later can help
// (temporary). A fiber that is cancelled while it waits leaves with loop::Cancelled as from any wait.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "loop/loop.h"

namespace dns {
enum class Type : std::uint16_t {
    a = 1,
    ns = 2,
    cname = 5,
    soa = 6,
    ptr = 12,
    mx = 15,
    txt = 16,
    aaaa = 28,
    srv = 33,
    tlsa = 52
};
std::string_view name_of(Type type);  // "MX"; "?" for a type that is not in the list

enum class Status {
    found,
    no_data,    // the name exists, without such a record
    no_name,    // NXDOMAIN
    temporary,  // no answer in time, SERVFAIL, REFUSED …: later perhaps
    invalid,    // the name asked for, or all that came, breaks the rules for names
    null_mx,    // "MX 0 .": RFC 7505, this domain takes no mail
    filtered,   // the reply filter left nothing
};

struct Record {
    Type type = Type::a;
    std::string owner;                   // without a final dot, as everywhere here
    std::uint32_t ttl = 0;               // seconds
    std::uint16_t preference = 0;        // MX preference, SRV priority
    std::uint16_t weight = 0, port = 0;  // SRV
    std::string
        value;  // A, AAAA: the address as text; TXT: its strings, joined; TLSA: the raw octets; else the host name
    std::string text() const;  // "example.org. 3600 IN MX 10 mx.example.org.", what a reply filter looks at
};

struct Answer {
    Status status = Status::temporary;
    std::string reason;           // "Name service error for name=… type=…: Host not found"; empty when found
    std::vector<Record> records;  // of the type asked for; at most record_limit
    std::string canonical;        // the owner of the records, behind all CNAMEs
    std::uint32_t ttl = 0;        // the smallest on the way
    bool authenticated =
        false;  // AD, of every message on the way, denials too: meaningful only where Options::dnssec was set
    explicit operator bool() const { return status == Status::found; }
    bool temporary() const { return status == Status::temporary; }
};

struct Options {
    loop::Deadline deadline = loop::never;  // absolute; beside it resolv.conf's own timeout and attempts hold
    bool dnssec = false;                    // set DO and AD in the question
    bool own_domain = false;  // append resolv.conf's first search domain to a name without dots (RES_DEFNAMES)
    bool search = false;      // try resolv.conf's whole search list (RES_DNSRCH)
};

inline constexpr std::size_t record_limit = 100;
inline constexpr int cname_limit = 10;

// Reads resolv.conf, nsswitch.conf ("hosts:") and hosts. Without it the first query does. The environment variable
// POSTHORN_RESOLV_CONF names another resolv.conf, for tests; in it `nameserver [127.0.0.1]:5353` gives a port. Hosts
// likewise: POSTHORN_HOSTS.
void open();
// Ends what is in flight and frees the channels. Before the Loop goes, in tests; a daemon just exits.
void close();

// One question. Follows CNAMEs. MX are sorted by preference, shuffled among equals; SRV by priority and weight (RFC
// 2782); others come as sent.
Answer query(std::string_view name, Type type, const Options& options = {});

// What to ask, as "ns:.", when the first question with Options::dnssec gets an answer without AD: the log then says
// whether this host's resolver validates at all (dnssec_probe). Empty: nothing is asked, as without this call. Once a
// process. An Error where text is no probe.
Result<void> set_dnssec_probe(std::string_view text);
// The servers of resolv.conf that are not on this host: the AD of their answers is only as good as the way to them.
std::vector<std::string> distant_servers();

// The process-wide reply filter: false drops the record. An empty function removes it. Its lookups must not wait.
void set_reply_filter(std::function<bool(const Record&)> keep);

// Letters, digits, '-', '_' and dots as a host name may have them (RFC 1123 and the underscores seen in the wild); no
// numeric address.
bool valid_hostname(std::string_view name);
// "4.3.2.1.in-addr.arpa" or the ip6.arpa name; empty where address is no address.
std::string reverse_name(std::string_view address);
}
