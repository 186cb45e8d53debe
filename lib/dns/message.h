// The bytes of a DNS message (RFC 1035), pure: one question out, the records of an answer in. For resolver.cc and its
// tests.
#pragma once
#include <string>
#include <string_view>
#include "dns/dns.h"

namespace dns::message {
// A question with recursion desired; dnssec adds EDNS with DO, and AD. An Error where name is no domain name.
Result<std::string> question(std::string_view name, Type type, bool dnssec);

struct Reply {
    int rcode = 0;
    bool authenticated = false;
    std::vector<Record> answers;  // of the types we know, any owner
    std::string malformed;        // a gripe about what was passed over, for a warning; else empty
};
// The answer section; an Error where the message is cut or loops. At most record_limit records are kept.
Result<Reply> parse(std::string_view raw);
}
