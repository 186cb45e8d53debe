// The orders in which an address, a domain or a network address is looked up, as the table manuals document them. An
// address is in internal form (no quoting); where its local part needs quotes, the quoted form is tried first, then the
// internal one.
//
//   canonical(5), virtual(5), generic(5), relocated(5)   user+ext@domain, user@domain, user+ext, user, @domain
//                                                        (the bare user only where the domain is $myorigin or local)
//   sender dependent tables, sender_bcc, recipient_bcc   user+ext@domain, user@domain, @domain (bcc: also the bare
//   user) access(5)                                            user+ext@domain, user@domain, domain and parents,
//   user+ext@, user@ transport(5)                                         user+ext@domain, user@domain, domain,
//   .parents, * host access                                          name, parents; 1.2.3.4, 1.2.3, 1.2, 1;
//   2001:db8:1:2, 2001:db8:1 …
//
// Pattern tables see only the whole address (or name, or address), once, never its parts.
//
// When things fail: the Error of the table that could not tell; callers answer with a temporary failure.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "table/maps.h"

namespace conf {
class Settings;
}

namespace table {
struct AddressMatch {
    std::string value;
    std::string key;        // the form that was found
    std::string extension;  // with its delimiter, where the form left it out: "+ext"; else empty
};

// Which forms find_address() tries, in this order.
enum AddressForm : unsigned {
    form_full = 1,          // user+ext@domain
    form_no_extension = 2,  // user@domain
    form_local_user = 4,    // user+ext, user: where the domain is local
    form_user_at = 8,       // user+ext@, user@ (after the domain forms)
    form_domain = 16,       // domain, and its parents as parents says
    form_at_domain = 32,    // @domain
    forms_rewrite = form_full | form_no_extension | form_local_user | form_at_domain,
    forms_sender = form_full | form_no_extension | form_at_domain,
    forms_access = form_full | form_no_extension | form_domain | form_user_at,
    forms_transport = form_full | form_no_extension | form_domain,
};
enum class Parents : std::uint8_t {
    none,
    bare,
    dotted
};  // sub.example.org also finds example.org (bare) or .example.org (dotted)

struct AddressRules {
    unsigned forms = forms_rewrite;
    std::string delimiters = {};                         // recipient_delimiter
    std::string double_bounce_sender = "double-bounce";  // never split
    bool owner_request_special = true;
    Parents parents = Parents::none;
    bool internal_form = true;      // addresses are looked up as they are, too, not only as headers have them (quoted)
    bool empty_local_part = false;  // "" is looked up, too, written as in headers: ""
    // For form_local_user: is the domain $myorigin, in mydestination, or one of our addresses?
    // (LocalDomains::rewrites_bare)
    std::function<Result<bool>(std::string_view domain)> is_local = {};
};

Result<std::optional<AddressMatch>> find_address(const Maps& maps, std::string_view address, const AddressRules& rules);
// name, then its parents.
Result<std::optional<AddressMatch>> find_domain(const Maps& maps, std::string_view domain, Parents parents);
// address (IPv4 dotted, IPv6 compressed lower case), then its octet or word prefixes.
Result<std::optional<AddressMatch>> find_network(const Maps& maps, std::string_view address);

// Does parent_domain_matches_subdomains name this parameter (or table class: "smtpd_access_maps")?
Parents parents_of(const conf::Settings& settings, std::string_view name);
}
