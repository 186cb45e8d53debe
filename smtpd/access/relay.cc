// Who may send where: the address classes, and the restrictions that keep strangers from relaying.
#include <fmt/format.h>
#include <algorithm>
#include "access/check.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "mail/address.h"

namespace smtpd::rule {
namespace {
// Ours to deliver or to relay, and without routes of the sender's own choice (user@elsewhere@ours).
bool destination_is_ours(Check& check, const ipc::ResolveReply& where) {
    if ((where.flags & ipc::ResolveReply::routed) && !check.settings()[param::allow_untrusted_routing])
        return false;
    return where.address_class != ipc::AddressClass::other;
}

// refuse_code 0: permit_auth_destination.
Verdict destination(Check& check, const Restriction& r, int refuse_code) {
    auto where = check.resolve(check.recipient());
    Subject t = check.subject(Of::recipient);
    if (!where || (where->flags & ipc::ResolveReply::failed)) {
        if (!where)
            maillog::warning("{}", where.error().reason);
        return check.unavailable(t.name);
    }
    bool ours = destination_is_ours(check, *where);
    if (refuse_code == 0)
        return ours ? check.permit(r, t) : Verdict::dunno;
    if (ours)
        return Verdict::dunno;
    return check.refuse(refuse_code, "5.7.1", fmt::format("<{}>: Relay access denied", t.name));
}

}

Verdict permit_destination(Check& check, const Restriction& r) { return destination(check, r, 0); }
Verdict reject_destination(Check& check, const Restriction& r) {
    return destination(check, r, check.code(param::relay_domains_reject_code));
}
Verdict defer_destination(Check& check, const Restriction& r) {
    return destination(check, r, check.code(param::relay_domains_reject_code) - 100);
}

// We are among the domain's mail exchangers, but not the best one, and the best ones are in permit_mx_backup_networks
// where that is set.
Verdict mx_backup(Check& check, const Restriction& r) {
    Service& service = check.service();
    Subject t = check.subject(Of::recipient);
    auto where = check.resolve(check.recipient());
    if (!where || (where->flags & ipc::ResolveReply::failed))
        return check.unavailable(t.name);
    if (destination_is_ours(check, *where))
        return check.permit(r, t);
    if (where->flags & ipc::ResolveReply::routed)
        return Verdict::dunno;
    auto domain = mail::split_address(where->recipient).domain;
    if (!domain || domain->starts_with('['))
        return Verdict::dunno;
    auto unknown = [&] {
        check.defer_if_permit(
            450, "4.4.4",
            fmt::format("<{}>: Recipient address rejected: Unable to look up mail exchanger information", t.name));
        return Verdict::dunno;
    };
    dns::Answer exchangers =
        service.resolver.query(mail::to_ascii_domain(*domain).value_or(std::string(*domain)), dns::Type::mx);
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
            dns::Answer addresses = service.resolver.query(record.value, type);
            temporary = temporary || addresses.temporary();
            for (const dns::Record& address : addresses.records) {
                resolved = true;
                if (service.local_domains.own_address(address.value)) {
                    if (record.preference == best)
                        return Verdict::dunno;  // we are where mail ends, and know nothing of it
                    ours = true;
                }
                if (record.preference != best || service.backup_networks.empty())
                    continue;
                auto match = service.backup_networks.match("", address.value);
                if (!match)
                    return unknown();
                if (!*match)
                    return Verdict::dunno;
            }
        }
        if (!resolved && temporary)
            return unknown();
    }
    return ours ? check.permit(r, t) : Verdict::dunno;
}
}
