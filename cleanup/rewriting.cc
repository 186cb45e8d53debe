#include "rewriting.h"
#include <algorithm>
#include <memory>
#include "base/bytes.h"
#include "ipc/trivial_rewrite.h"
#include "log/log.h"
#include "mail/address_tokens.h"

namespace cleanup {
namespace {
constexpr int canonical_nesting_max = 10;
std::unique_ptr<ipc::TrivialRewrite> service;
}

void connect_trivial_rewrite(const conf::Settings& settings) {
    service = std::make_unique<ipc::TrivialRewrite>(settings);
}

Result<std::string> ask_trivial_rewrite(std::string_view context, const std::string& external) {
    return service->rewrite(context, external);
}

Result<std::string> Rewriting::complete(std::string_view context, const std::string& internal) const {
    std::string external = mail::to_external(internal);
    if (mail::is_plain(external))
        return internal;
    TRY_ASSIGN(std::string answer, rewrite_(context, external));
    return mail::to_internal(answer);
}

table::AddressRules rewrite_lookup(const Rules& rules) {
    table::AddressRules lookup;
    lookup.delimiters = rules.recipient_delimiter;
    lookup.is_local = [&rules](std::string_view domain) { return rules.local_domains.rewrites_bare(domain); };
    return lookup;
}

std::string with_user_of(std::string_view result, std::string_view internal) {
    if (!result.starts_with('@'))
        return std::string(result);
    return std::string(mail::split_address(internal).local) + std::string(result);
}

Result<void> Rewriting::map(std::string& internal, const table::Maps& maps) const {
    if (maps.empty())
        return {};
    table::AddressRules lookup = rewrite_lookup(rules_);
    lookup.internal_form = false;
    lookup.empty_local_part = true;
    for (int i = 0; i < canonical_nesting_max; ++i) {
        TRY_ASSIGN(auto match, table::find_address(maps, internal, lookup));
        if (!match)
            return {};
        const auto results = mail::AddressList::parse(match->value).addresses();
        if (results.empty()) {
            maillog::warning("{} map lookup of {} returns no address: ignored", maps.title(), internal);
            return {};
        }
        std::string next = mail::to_internal(results[0]);
        const bool same_user = next.starts_with('@');
        next = with_user_of(next, internal);
        TRY_ASSIGN(next, complete("local", next));
        if (!same_user && rules_.propagate_canonical && !match->extension.empty())
            next = mail::add_extension(next, match->extension);
        if (bytes::iequals(next, internal)) {
            internal = std::move(next);
            return {};
        }
        internal = std::move(next);
    }
    maillog::warning("unreasonable {} map nesting for {}", maps.title(), internal);
    return {};
}

void Rewriting::masquerade(std::string& internal) const {
    const auto [local, domain] = mail::split_address(internal);
    if (!domain)
        return;
    const std::string user = bytes::lowered(local), host = bytes::lowered(*domain);
    if (std::find(rules_.masquerade_exceptions.begin(), rules_.masquerade_exceptions.end(), user) !=
        rules_.masquerade_exceptions.end())
        return;
    for (std::string_view entry : rules_.masquerade_domains) {
        const bool keep = entry.starts_with('!');
        if (keep)
            entry.remove_prefix(1);
        if (host == entry)
            return;
        if (host.size() > entry.size() && host.ends_with(entry) && host[host.size() - entry.size() - 1] == '.') {
            if (!keep)
                internal = std::string(local) + "@" + std::string(entry);
            return;
        }
    }
}

Result<void> Rewriting::apply(std::string& internal, unsigned klass, bool sender) const {
    const table::Maps& own = sender ? rules_.sender_canonical : rules_.recipient_canonical;
    const unsigned own_classes = sender ? rules_.sender_canonical_classes : rules_.recipient_canonical_classes;
    if (own_classes & klass)
        TRY(map(internal, own));
    if (rules_.canonical_classes & klass)
        TRY(map(internal, rules_.canonical));
    if (rules_.masquerade_classes & klass)
        masquerade(internal);
    return {};
}

Result<std::string> Rewriting::sender(const std::string& internal, bool map) const {
    if (internal.empty())
        return internal;
    TRY_ASSIGN(std::string address, complete("local", internal));
    if (map)
        TRY(apply(address, address_class::envelope_sender, true));
    return address;
}

Result<Rewriting::Rewritten> Rewriting::recipient(const std::string& internal, bool map) const {
    Rewritten out;
    TRY_ASSIGN(out.completed, complete("local", internal.empty() ? rules_.empty_recipient : internal));
    if (out.completed.empty() || out.completed == "@") {  // what "@" and "%" come to
        TRY_ASSIGN(out.completed, complete("local", rules_.empty_recipient));
    }
    out.mapped = out.completed;
    if (map)
        TRY(apply(out.mapped, address_class::envelope_recipient, false));
    return out;
}

Result<std::optional<std::string>> Rewriting::header(const std::string& external, std::string_view context, bool sender,
                                                     bool map) const {
    if (external.empty())
        return std::optional<std::string>();
    std::string completed = external;
    if (!mail::is_plain(external)) {
        TRY_ASSIGN(completed, rewrite_(context, external));
    }
    std::optional<std::string> out;
    if (completed != external)
        out = completed;
    if (!map)
        return out;
    const std::string before = mail::to_internal(completed);
    std::string internal = before;
    TRY(apply(internal, sender ? address_class::header_sender : address_class::header_recipient, sender));
    if (internal != before)
        out = mail::to_external(internal);
    return out;
}

Result<std::vector<std::string>> Rewriting::completed_list(std::string_view text) const {
    std::vector<std::string> out;
    const bool same_user = bytes::trim(text).starts_with('@');  // "@new.domain": the caller puts the user in front
    for (const std::string& external : mail::AddressList::parse(text).addresses()) {
        std::string internal = mail::to_internal(external);
        if (!same_user || !internal.starts_with('@')) {
            TRY_ASSIGN(internal, complete("local", internal));
        }
        out.push_back(std::move(internal));
    }
    return out;
}
}
