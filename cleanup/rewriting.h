// Addresses on their way through a message: canonical form by trivial-rewrite, then canonical maps and masquerading.
//
// When things fail: an Error 4.3.0 (a table or trivial-rewrite did not answer); the message is then refused for now.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include "base/error.h"
#include "rules.h"

namespace cleanup {
// Canonical form: "local" completes with $myorigin and $mydomain, "remote" with remote_header_rewrite_domain. External
// form in and out.
using Rewrite = Result<std::string> (*)(std::string_view context, const std::string& external);
Result<std::string> ask_trivial_rewrite(std::string_view context, const std::string& external);
void connect_trivial_rewrite(const conf::Settings& settings);

class Rewriting {
public:
    Rewriting(const Rules& rules, Rewrite rewrite) : rules_(rules), rewrite_(rewrite) {}

    // Envelope addresses in internal form. `canonical` is false where the client asked for no mapping.
    Result<std::string> sender(const std::string& internal, bool map) const;
    struct Rewritten {
        std::string completed, mapped;
    };  // after trivial-rewrite; after the maps too
    Result<Rewritten> recipient(const std::string& internal, bool map) const;
    // One header address, external form. Absent: unchanged.
    Result<std::optional<std::string>> header(const std::string& external, std::string_view context, bool sender,
                                              bool map) const;
    // A table result: several addresses, completed, internal form.
    Result<std::vector<std::string>> completed_list(std::string_view text) const;

private:
    Result<std::string> complete(std::string_view context, const std::string& internal) const;
    // Looks the address up until it does not change any more.
    Result<void> map(std::string& internal, const table::Maps& maps) const;
    void masquerade(std::string& internal) const;
    Result<void> apply(std::string& internal, unsigned address_class, bool sender) const;
    const Rules& rules_;
    Rewrite rewrite_;
};

// The names and addresses to look up for canonical and virtual maps.
table::AddressRules rewrite_lookup(const Rules& rules);
// "@other.org" as a result: the same user there.
std::string with_user_of(std::string_view result, std::string_view internal);
}
