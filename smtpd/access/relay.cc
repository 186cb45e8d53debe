// Who may send where: the address classes, and the restrictions that keep strangers from relaying.
#include <fmt/format.h>
#include <algorithm>
#include "access/check.h"
#include "log/log.h"
#include "mail/address.h"

namespace smtpd {
Result<ipc::ResolveReply> Check::resolve(std::string_view address) { return service_.resolve(sender(), address); }

// Ours to deliver or to relay, and without routes of the sender's own choice (user@elsewhere@ours).
bool Check::destination_is_ours(const ipc::ResolveReply& where) const {
    if ((where.flags & ipc::ResolveReply::routed) && !service_.untrusted_routing)
        return false;
    return where.address_class != ipc::AddressClass::other;
}

// refuse_code 0: permit_auth_destination.
Verdict Check::auth_destination(const Restriction& r, int refuse_code) {
    auto where = resolve(recipient());
    Subject t = address_subject(false);
    if (!where || (where->flags & ipc::ResolveReply::failed)) {
        if (!where)
            maillog::warning("{}", where.error().reason);
        return refuse(451, "4.3.0", fmt::format("<{}>: Temporary lookup failure", t.name));
    }
    bool ours = destination_is_ours(*where);
    if (refuse_code == 0)
        return ours ? permit(r, t) : Verdict::dunno;
    if (ours)
        return Verdict::dunno;
    return refuse(refuse_code, "5.7.1", fmt::format("<{}>: Relay access denied", t.name));
}

// We are among the domain's mail exchangers, but not the best one, and the best ones are in permit_mx_backup_networks
// where that is set.
Verdict Check::mx_backup(const Restriction& r) {
    Subject t = address_subject(false);
    auto where = resolve(recipient());
    if (!where || (where->flags & ipc::ResolveReply::failed))
        return refuse(451, "4.3.0", fmt::format("<{}>: Temporary lookup failure", t.name));
    if (destination_is_ours(*where))
        return permit(r, t);
    if (where->flags & ipc::ResolveReply::routed)
        return Verdict::dunno;
    auto domain = mail::split_address(where->recipient).domain;
    if (!domain || domain->starts_with('['))
        return Verdict::dunno;
    auto unknown = [&] {
        defer_if_permit(
            450, "4.4.4",
            fmt::format("<{}>: Recipient address rejected: Unable to look up mail exchanger information", t.name));
        return Verdict::dunno;
    };
    dns::Answer exchangers =
        service_.resolver.query(mail::to_ascii_domain(*domain).value_or(std::string(*domain)), dns::Type::mx);
    if (exchangers.temporary())
        return unknown();
    if (!exchangers || exchangers.records.size() > 100)
        return Verdict::dunno;
    std::uint16_t best = exchangers.records.front().preference;
    for (const dns::Record& record : exchangers.records)
        best = std::min(best, record.preference);
    bool ours = false;
    for (const dns::Record& record : exchangers.records) {
        bool resolved = false, temporary = false;
        for (dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
            dns::Answer addresses = service_.resolver.query(record.value, type);
            temporary = temporary || addresses.temporary();
            for (const dns::Record& address : addresses.records) {
                resolved = true;
                if (service_.local_domains.own_address(address.value)) {
                    if (record.preference == best)
                        return Verdict::dunno;  // we are where mail ends, and know nothing of it
                    ours = true;
                }
                if (record.preference != best || service_.backup_networks.empty())
                    continue;
                auto match = service_.backup_networks.match("", address.value);
                if (!match)
                    return unknown();
                if (!*match)
                    return Verdict::dunno;
            }
        }
        if (!resolved && temporary)
            return unknown();
    }
    return ours ? permit(r, t) : Verdict::dunno;
}
}
