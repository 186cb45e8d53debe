#include "table/address_lookup.h"
#include "base/bytes.h"
#include "conf/settings.h"
#include "conf/params/global.h"
#include "conf/params/commands.h"
#include "conf/params/rewrite.h"
#include "conf/params/services.h"
#include "mail/address.h"

namespace table {
namespace {
// One form of an address, tried as written in headers (quoted) and then, with internal_form, as it is.
Result<std::optional<AddressMatch>> try_form(const Maps& maps, const std::string& internal, std::string_view extension,
                                             Which which, bool internal_form, bool user = false) {
    std::string external = internal.empty() ? "\"\"" : mail::to_external(internal);
    if (user && internal.find('@') != internal.npos)  // all of it is a local part
        (external = mail::to_external(internal + "@")).pop_back();
    for (const std::string& key : {external, internal}) {
        TRY_ASSIGN(std::optional<std::string> value, maps.find(key, which));
        if (value)
            return std::optional<AddressMatch>(AddressMatch{std::move(*value), key, std::string(extension)});
        if (external == internal || !internal_form)
            break;
    }
    return std::optional<AddressMatch>();
}

Result<std::optional<AddressMatch>> try_key(const Maps& maps, std::string_view key, Which which) {
    TRY_ASSIGN(std::optional<std::string> value, maps.find(key, which));
    if (!value)
        return std::optional<AddressMatch>();
    return std::optional<AddressMatch>(AddressMatch{std::move(*value), std::string(key), ""});
}

#define RETURN_IF_FOUND(expr)                                                                                          \
    do {                                                                                                               \
        TRY_ASSIGN(std::optional<AddressMatch> match_, expr);                                                          \
        if (match_)                                                                                                    \
            return match_;                                                                                             \
    } while (0)

Result<std::optional<AddressMatch>> try_domain(const Maps& maps, std::string_view domain, Parents parents,
                                               Which first) {
    RETURN_IF_FOUND(try_key(maps, domain, first));
    if (parents == Parents::none)
        return std::optional<AddressMatch>();
    for (std::string_view rest = domain;;) {
        std::size_t dot = rest.find('.', 1);
        if (dot == std::string_view::npos || dot + 1 == rest.size())
            return std::optional<AddressMatch>();
        rest.remove_prefix(parents == Parents::dotted ? dot : dot + 1);
        RETURN_IF_FOUND(try_key(maps, rest, Which::fixed));
    }
}
}

Result<std::optional<AddressMatch>> find_address(const Maps& maps, std::string_view address,
                                                 const AddressRules& rules) {
    if (maps.empty() || (address.empty() && !rules.empty_local_part))
        return std::optional<AddressMatch>();
    const auto [local, domain] = mail::split_address(address);
    mail::ExtensionSplit split =
        mail::split_extension(local, {rules.delimiters, rules.double_bounce_sender, rules.owner_request_special});
    std::string user(split.user), full_local(local), at = domain ? "@" + std::string(*domain) : "";
    std::string extension = split.extension ? full_local.substr(user.size()) : "";

    const auto form = [&](const std::string& internal, std::string_view left_out, Which which, bool is_user = false) {
        return try_form(maps, internal, left_out, which, rules.internal_form, is_user);
    };
    if (rules.forms & form_full)
        RETURN_IF_FOUND(form(std::string(address), "", Which::all));
    if ((rules.forms & form_no_extension) && !extension.empty())
        RETURN_IF_FOUND(form(user + at, extension, Which::fixed));
    if ((rules.forms & form_local_user) && domain && rules.is_local) {
        TRY_ASSIGN(bool is_local, rules.is_local(*domain));
        if (is_local) {
            RETURN_IF_FOUND(form(full_local, "", Which::fixed, true));
            if (!extension.empty())
                RETURN_IF_FOUND(form(user, extension, Which::fixed, true));
        }
    }
    if ((rules.forms & form_domain) && domain && !domain->empty())
        RETURN_IF_FOUND(try_domain(maps, *domain, rules.parents, Which::fixed));
    if ((rules.forms & form_user_at) && domain) {
        RETURN_IF_FOUND(form(full_local + "@", "", Which::fixed));
        if (!extension.empty())
            RETURN_IF_FOUND(form(user + "@", extension, Which::fixed));
    }
    if ((rules.forms & form_at_domain) && domain && !domain->empty()) {
        RETURN_IF_FOUND(try_key(maps, at, Which::fixed));
    }
    return std::optional<AddressMatch>();
}

Result<std::optional<AddressMatch>> find_domain(const Maps& maps, std::string_view domain, Parents parents) {
    if (maps.empty() || domain.empty())
        return std::optional<AddressMatch>();
    return try_domain(maps, domain, parents, Which::all);
}

Result<std::optional<AddressMatch>> find_network(const Maps& maps, std::string_view address) {
    if (maps.empty() || address.empty())
        return std::optional<AddressMatch>();
    RETURN_IF_FOUND(try_key(maps, address, Which::all));
    char separator = address.find(':') == std::string_view::npos ? '.' : ':';
    for (std::size_t at = address.rfind(separator); at != std::string_view::npos && at > 0;
         at = address.rfind(separator, at - 1))
        RETURN_IF_FOUND(try_key(maps, address.substr(0, at), Which::fixed));
    return std::optional<AddressMatch>();
}

Parents parents_of(const conf::Settings& settings, std::string_view name) {
    for (std::string_view member : bytes::split(settings[param::parent_domain_matches_subdomains], ", \t\r\n"))
        if (member == name)
            return Parents::bare;
    return Parents::dotted;
}
}
