#include "dns/host.h"
#include <algorithm>
#include <optional>
#include "base/bytes.h"
#include "log/log.h"

namespace dns {
namespace {
// Both families at once where that is possible; what the last failure says stands for all, unless one was temporary.
template <class Ask> Addresses ask_families(Families families, Ask ask) {
    std::optional<Answer> four, six;
    auto ask_six = [&] { six = ask(Type::aaaa); };
    if (families.ipv4 && families.ipv6 && loop::current()) {
        loop::Group::with([&](loop::Group& group) {
            group.spawn(ask_six);
            four = ask(Type::a);
        });
    } else {
        if (families.ipv4)
            four = ask(Type::a);
        if (families.ipv6)
            ask_six();
    }
    Addresses all;
    all.status = Status::no_data;
    all.authenticated = true;
    std::optional<std::string> temporary;
    for (std::optional<Answer>* answer : {&four, &six}) {
        if (!*answer)
            continue;
        Answer& one = **answer;
        if (one) {
            all.records.insert(all.records.end(), std::make_move_iterator(one.records.begin()),
                               std::make_move_iterator(one.records.end()));
            all.canonical = one.canonical;
            all.authenticated &= one.authenticated;
        } else if (one.temporary()) {
            temporary = one.reason;
        } else {
            all.status = one.status;
            all.reason = one.reason;
        }
    }
    if (all.records.empty())
        all.authenticated = false;
    if (!all.records.empty()) {
        all.status = Status::found;
        all.reason.clear();
    } else if (temporary) {
        all.status = Status::temporary;
        all.reason = *temporary;
    }
    return all;
}

const char* resolver_words(Status status) {  // those of gai_strerror(3)
    if (status == Status::temporary)
        return "Temporary failure in name resolution";
    return status == Status::no_data ? "No address associated with hostname" : "Name or service not known";
}

Addresses from_hosts_file(std::string_view name, Families families) {
    Addresses found;
    found.status = Status::no_name;
    auto it = host_system().addresses.find(bytes::lowered(name));
    if (it == host_system().addresses.end())
        return found;
    for (const std::string& address : it->second) {
        bool six = address.find(':') != address.npos;
        if (six ? families.ipv6 : families.ipv4) {
            Record r;
            r.type = six ? Type::aaaa : Type::a;
            r.owner = name;
            r.value = address;
            found.records.push_back(std::move(r));
        }
    }
    found.canonical = name;
    found.status = found.records.empty() ? Status::no_data : Status::found;
    return found;
}

struct Reverse {
    Status status = Status::no_name;
    std::string name;
};

Reverse look_back(const std::string& address, const Options& options) {
    Reverse result;
    for (HostSource source : host_system().order) {
        if (source == HostSource::files) {
            auto it = host_system().names.find(address);
            if (it != host_system().names.end())
                return {Status::found, it->second};
        } else {
            Answer a = query(reverse_name(address), Type::ptr, options);
            result.status = a.status;
            if (a)
                result.name = a.records.front().value;
        }
    }
    return result;
}

NameStatus name_status(Status status) {
    return status == Status::temporary ? NameStatus::temporary : NameStatus::permanent;
}
}

Addresses dns_addresses(std::string_view name, Families families, const Options& options) {
    return ask_families(families, [&](Type type) { return query(name, type, options); });
}

Addresses native_addresses(std::string_view name, Families families, const Options& options) {
    Addresses result;
    result.status = Status::no_name;
    for (HostSource source : host_system().order) {
        if (source == HostSource::files) {
            result = from_hosts_file(name, families);
        } else {
            Options search = options;
            search.search = std::count(name.begin(), name.end(), '.') < host_system().ndots;
            result = dns_addresses(name, families, search);
        }
        if (result)
            return result;
    }
    result.reason = resolver_words(result.status);
    return result;
}

ClientName reverse_client_name(std::string_view address, const Options& options) {
    ClientName client;
    std::string text = canonical_address(address);
    if (bytes::istarts_with(text, "::ffff:") && text.find('.') != text.npos)
        text = text.substr(7);
    if (text.empty())
        return client;
    Reverse back = look_back(text, options);
    if (back.status != Status::found) {
        client.name_status = client.reverse_name_status = name_status(back.status);
        return client;
    }
    if (!canonical_address(back.name).empty()) {
        maillog::warning("numeric result {} in address->name lookup for {}", back.name, text);
        return client;
    }
    if (!valid_hostname(back.name))
        return client;  // nothing that a log or a rule should show
    client.name = client.reverse_name = back.name;
    client.name_status = client.reverse_name_status = NameStatus::ok;
    return client;
}

ClientName client_name(std::string_view address, const Options& options) {
    ClientName client = reverse_client_name(address, options);
    if (client.name_status != NameStatus::ok)
        return client;
    std::string text = canonical_address(address);
    if (bytes::istarts_with(text, "::ffff:") && text.find('.') != text.npos)
        text = text.substr(7);
    bool six = text.find(':') != text.npos;
    Addresses forward = native_addresses(client.name, {!six, six}, options);
    bool confirmed = std::any_of(forward.records.begin(), forward.records.end(),
                                 [&](const Record& r) { return canonical_address(r.value) == text; });
    if (confirmed)
        return client;
    if (forward)
        maillog::warning("hostname {} does not resolve to address {}", client.name, text);
    else
        maillog::warning("hostname {} does not resolve to address {}: {}", client.name, text, forward.reason);
    client.name = "unknown";
    client.name_status = forward ? NameStatus::forged : name_status(forward.status);
    return client;
}
}
