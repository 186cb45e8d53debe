// MatchList: the lists of main.cf that say whether something belongs: mynetworks, mydestination, relay_domains,
// debug_peer_list … Members are tried in the order written, the first that matches decides; "!" before a member makes
// its match a "no"; "/file/name" stands for the members in that file; "type:table" matches where the table has the name
// as key, whatever the value.
//
//   strings   exact, case folded
//   domains   example.org; with Parents::bare its subdomains too; ".example.org" only subdomains
//   hosts     a client's name (as domains) and its address: 10.1.2.3, 10.0.0.0/8, [2001:db8::]/32, [::1]
//
// When things fail: a list that cannot be read (missing file, host bits set behind a net's length, broken table) logs a
// warning once and its match() is a temporary Error; it never says yes or no by guess.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include "base/error.h"
#include "table/address_lookup.h"

namespace table {
class MatchList {
public:
    enum class Kind : std::uint8_t { strings, domains, hosts };
    MatchList() = default;  // matches nothing
    // title is the parameter's name, for log lines.
    static MatchList open(std::string_view title, std::string_view value, Kind kind, Parents parents = Parents::dotted,
                          const OpenOptions& options = {});
    Result<bool> match(std::string_view text) const;                            // strings, domains
    Result<bool> match(std::string_view name, std::string_view address) const;  // hosts; name may be empty or "unknown"
    bool empty() const;

private:
    struct Data;
    std::shared_ptr<const Data> data_;
};

// Is address (text) within net: "10.1.2.3", "10.0.0.0/8", "[2001:db8::]/32", "2001:db8::/32"? An Error where net is
// malformed or has bits set behind its length.
Result<bool> in_network(std::string_view address, std::string_view net);
}
