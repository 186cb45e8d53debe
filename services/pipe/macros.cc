// See macros.h.
#include "macros.h"

#include <map>
#include "base/bytes.h"
#include "conf/expand.h"

namespace pipe_agent {
namespace {
using Names = std::map<std::string, std::string, std::less<>>;

// An address as flags h, u and q want it.
std::string shown(const std::string& address, const Attributes& a) {
    mail::AddressParts parts = mail::split_address(address);
    std::string out(a.fold_user ? mail::fold_case(parts.local) : std::string(parts.local));
    if (parts.domain)
        out += "@" + (a.fold_domain ? mail::fold_case(*parts.domain) : std::string(*parts.domain));
    return a.quote ? mail::to_external(out) : out;
}

Names of_message(const Attributes& a, const ipc::DeliveryRequest& r) {
    Names names;
    names["sender"] = r.sender.empty() ? a.null_sender : r.sender;
    if (a.quote && !names["sender"].empty())
        names["sender"] = mail::to_external(names["sender"]);
    names["nexthop"] = a.fold_domain ? mail::fold_case(r.nexthop) : r.nexthop;
    names["size"] = std::to_string(r.data_size);
    names["queue_id"] = r.queue_id;
    names["envid"] = r.envid;
    names["client_address"] = r.log_client_address;
    names["client_helo"] = r.log_helo_name;
    names["client_hostname"] = r.log_client_name;
    names["client_port"] = r.log_client_port;
    names["client_protocol"] = r.log_protocol_name;
    names["sasl_method"] = r.sasl_method;
    names["sasl_sender"] = r.sasl_sender;
    names["sasl_username"] = r.sasl_username;
    return names;
}

void add_recipient(Names& names, const delivery::JobRecipient& recipient, const Attributes& a,
                   const mail::ExtensionRules& rules) {
    names["recipient"] = shown(recipient.address, a);
    names["original_recipient"] = shown(recipient.original.empty() ? recipient.address : recipient.original, a);
    mail::AddressParts parts = mail::split_address(recipient.address);
    std::string mailbox = a.fold_user ? mail::fold_case(parts.local) : std::string(parts.local);
    mail::ExtensionSplit split = mail::split_extension(mailbox, rules);
    names["user"] = split.user;
    names["extension"] = split.extension.value_or("");
    names["mailbox"] = mailbox;
    std::string_view domain = parts.domain.value_or("");
    names["domain"] = a.fold_domain ? mail::fold_case(domain) : std::string(domain);
}

Result<std::string> expand(const std::string& argument, const Names& names) {
    std::string unknown;
    auto expanded = conf::expand(argument, [&](std::string_view name) -> std::optional<conf::Found> {
        auto found = names.find(name);
        if (found == names.end()) {
            unknown = name;
            return std::nullopt;
        }
        return found->second.empty() ? std::optional<conf::Found>() : conf::Found{found->second, true};
    });
    if (!unknown.empty())
        return temporary("unknown macro name: \"" + unknown + "\"", {4, 3, 5});
    if (!expanded)
        return temporary(expanded.error().reason, {4, 3, 5});
    return *expanded;
}

bool names_recipient(const std::string& argument) {
    bool found = false;
    conf::for_each_name(argument, [&](std::string_view name, bool) {
        found = found || name == "recipient" || name == "original_recipient" || name == "user" || name == "extension" ||
                name == "mailbox";
    });
    return found;
}
}

Result<std::vector<std::string>> expand_arguments(const Attributes& attributes, const ipc::DeliveryRequest& request,
                                                  std::span<const delivery::JobRecipient> recipients,
                                                  const mail::ExtensionRules& rules) {
    std::vector<std::string> out;
    Names names = of_message(attributes, request);
    for (const std::string& argument : attributes.arguments) {
        std::size_t times = names_recipient(argument) ? recipients.size() : 1;
        for (std::size_t i = 0; i < times; ++i) {
            if (!recipients.empty())
                add_recipient(names, recipients[i], attributes, rules);
            TRY_ASSIGN(std::string text, expand(argument, names));
            out.push_back(std::move(text));
        }
    }
    return out;
}
}
