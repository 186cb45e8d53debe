#include "virtual_aliases.h"
#include <algorithm>
#include <unordered_set>
#include "base/bytes.h"
#include "log/log.h"
#include "loop/loop.h"

namespace cleanup {
// The list grows while it is gone through: the first result takes the address's place, the others wait at the end. An
// address that stands among its own results ("@ex.test a@ex.test b@ex.test" asked for a@ex.test) is not looked up
// again; addresses that name each other without naming themselves never come to an end, and run into the limit.
// Duplicates are dropped when recipients are written.
Result<std::vector<std::string>> expand_virtual_aliases(const Rules& rules, const Rewriting& rewriting,
                                                        std::string_view id, const std::string& recipient) {
    const table::Maps& maps = rules.virtual_alias;
    std::vector<std::string> members{recipient};
    if (maps.empty())
        return members;
    std::unordered_set<std::string> final;  // in lower case
    const auto unreasonable = [&](std::string_view what) -> Failure {
        maillog::warning("{}: unreasonable {} {} -- message not accepted, try again later", id, maps.title(), what);
        return temporary("Alias expansion error", {4, 6, 0});
    };
    table::AddressRules lookup = rewrite_lookup(rules);
    lookup.internal_form = false;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (i > 0)
            loop::yield();  // a long list does not hold up the others
        for (std::size_t lookups = 0; !final.contains(bytes::lowered(members[i])); ++lookups) {
            if (lookups >= rules.virtual_recursion_limit)
                return unreasonable("map nesting for " + recipient);
            const std::string address = members[i];
            auto match = table::find_address(maps, address, lookup);
            if (!match) {
                maillog::warning("{}: {} map lookup problem for {} -- message not accepted, try again later", id,
                                 maps.title(), address);
                return tl::unexpected(match.error());
            }
            if (!*match)
                break;
            TRY_ASSIGN(std::vector<std::string> results, rewriting.completed_list((*match)->value));
            if (results.empty()) {
                maillog::warning(
                    "{}: {}: there is no address in \"{}\", the value for {} -- message not accepted, try again later",
                    id, maps.title(), (*match)->value, address);
                return temporary(maps.title() + ": no address for " + address);
            }
            if (bytes::trim((*match)->value).starts_with('@'))
                results[0] = with_user_of(results[0], address);
            else if (rules.propagate_virtual && !(*match)->extension.empty())
                for (std::string& result : results)
                    result = mail::add_extension(result, (*match)->extension);
            for (std::string& result : results) {
                if (result.size() > rules.virtual_length_limit)
                    return unreasonable("result " + result.substr(0, 300) + "...");
                if (bytes::iequals(result, address))
                    final.insert(bytes::lowered(address));
                if (&result == &results[0])
                    members[i] = std::move(result);
                else
                    members.push_back(std::move(result));
                if (members.size() > rules.virtual_expansion_limit)
                    return unreasonable("map expansion size for " + recipient);
            }
        }
    }
    return members;
}
}
