#include "virtual_aliases.h"
#include "base/bytes.h"
#include "log/log.h"

namespace cleanup {
namespace {
Failure unreasonable() { return temporary("Alias expansion error", {4, 6, 0}); }

// "@new.domain" keeps the user.
bool same_user(const table::AddressMatch& match) { return bytes::trim(match.value).starts_with('@'); }

// One member of the growing list: an address and how many lookups led to it.
struct Member { std::string address; std::size_t depth; bool final; };
}

Result<std::vector<std::string>> expand_virtual_aliases(const Rules& rules, const Rewriting& rewriting, std::string_view id, const std::string& recipient) {
    const table::Maps& maps = rules.virtual_alias;
    if (maps.empty()) return std::vector<std::string>{recipient};
    std::vector<Member> members{{recipient, 0, false}};
    for (std::size_t i = 0; i < members.size(); ++i) {
        while (!members[i].final) {
            const std::string address = members[i].address;
            const std::size_t depth = members[i].depth;
            auto match = table::find_address(maps, address, rewrite_lookup(rules));
            if (!match) {
                maillog::warning("{}: {} map lookup problem for {} -- message not accepted, try again later", id, maps.title(), address);
                return tl::unexpected(match.error());
            }
            if (!*match) break;
            if (depth >= rules.virtual_recursion_limit) {
                maillog::warning("{}: unreasonable {} map nesting for {} -- message not accepted, try again later", id, maps.title(), recipient);
                return unreasonable();
            }
            TRY_ASSIGN(std::vector<std::string> results, rewriting.completed_list((*match)->value));
            if (results.empty()) {
                maillog::warning("{}: {}: there is no address in \"{}\", the value for {} -- message not accepted, try again later", id, maps.title(),
                                 (*match)->value, address);
                return temporary(maps.title() + ": no address for " + address);
            }
            if (same_user(*(*match))) results[0] = with_user_of(results[0], address);
            else if (rules.propagate_virtual && !(*match)->extension.empty())
                for (std::string& result : results) result = mail::add_extension(result, (*match)->extension);
            bool first = true;
            for (std::string& result : results) {
                if (result.size() > rules.virtual_length_limit) {
                    maillog::warning("{}: unreasonable {} result {:.300}... -- message not accepted, try again later", id, maps.title(), result);
                    return unreasonable();
                }
                const bool same = bytes::iequals(result, address);
                if (first) {
                    members[i] = {std::move(result), depth + 1, same};
                    first = false;
                } else {
                    members.push_back({std::move(result), depth + 1, same});
                }
                if (members.size() > rules.virtual_expansion_limit) {
                    maillog::warning("{}: unreasonable {} map expansion size for {} -- message not accepted, try again later", id, maps.title(), recipient);
                    return unreasonable();
                }
            }
        }
    }
    std::vector<std::string> out;
    out.reserve(members.size());
    for (Member& member : members) out.push_back(std::move(member.address));
    return out;
}
}
