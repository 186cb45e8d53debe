// Rules that look at the sender's or a recipient's address: its form, its domain, and whether it exists here.
#include <fmt/format.h>
#include "access/check.h"
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/reply.h"

namespace smtpd {
namespace rule {
Verdict non_fqdn_address(Check& check, const Restriction& r) {
    const bool of_sender = r.rule->of == Of::sender;
    const std::string& address = check.address(r.rule->of);
    if (address.empty())
        return Verdict::dunno;
    auto parts = mail::split_address(address);
    bool good = true;
    if (!parts.domain)
        good = bytes::iequals(address, "postmaster") && !of_sender;
    else if (parts.domain->starts_with('['))
        good = parts.domain->ends_with(']') && mail::address_literal(parts.domain->substr(1, parts.domain->size() - 2));
    else {
        std::string_view domain =
            parts.domain->ends_with('.') ? parts.domain->substr(0, parts.domain->size() - 1) : *parts.domain;
        good =
            mail::valid_hostname(domain, check.settings()[param::smtputf8_enable]) && domain.find('.') != domain.npos;
    }
    return good ? Verdict::dunno
                : check.refuse(check.code(param::non_fqdn_reject_code), "5.5.2", check.subject(r.rule->of),
                               "need fully-qualified address");
}

// Only for domains whose mail ends elsewhere: they need an MX or an address.
Verdict unknown_domain(Check& check, const Restriction& r) {
    const bool of_sender = r.rule->of == Of::sender;
    const std::string& address = check.address(r.rule->of);
    if (address.empty())
        return Verdict::dunno;
    const conf::Settings& s = check.settings();
    auto where = check.resolve(address);
    if (!where)
        return check.unavailable(address);
    if (where->address_class != ipc::AddressClass::other && where->address_class != ipc::AddressClass::relay)
        return Verdict::dunno;
    auto domain = mail::split_address(where->recipient).domain;
    if (!domain || domain->starts_with('['))
        return Verdict::dunno;
    std::string name = mail::to_ascii_domain(*domain).value_or(std::string(*domain));
    Subject t = check.subject(r.rule->of);
    auto tempfail = [&] {
        return check.put_off(s[param::unknown_address_tempfail_action], of_sender ? "4.1.8" : "4.1.2",
                             fmt::format("<{}>: {} rejected: Domain not found", t.name, t.klass));
    };
    dns::Answer mx = check.service().resolver.query(name, dns::Type::mx);
    if (mx)
        return Verdict::dunno;
    if (mx.status == dns::Status::null_mx)
        return check.refuse(
            of_sender ? 550 : 556, of_sender ? "5.7.27" : "5.1.10",
            fmt::format("<{}>: {} rejected: Domain {} does not accept mail (nullMX)", t.name, t.klass, name));
    if (mx.temporary())
        return tempfail();
    for (dns::Type type : {dns::Type::a, dns::Type::aaaa}) {
        dns::Answer answer = check.service().resolver.query(name, type);
        if (answer)
            return Verdict::dunno;
        if (answer.temporary())
            return tempfail();
    }
    return check.refuse(check.code(param::unknown_address_reject_code), "4.1.2", t, "Domain not found");
}

Verdict unlisted(Check& check, const Restriction& r) {
    const std::string& address = check.address(r.rule->of);
    return address.empty() ? Verdict::dunno : smtpd::unlisted(check, r.rule->of, address);
}

Verdict multi_recipient_bounce(Check& check, const Restriction&) {
    if (!check.sender().empty())
        return Verdict::dunno;
    // At RCPT the recipient in question is not among those accepted; behind DATA all are.
    const bool all = check.phase() == Phase::data || check.phase() == Phase::end_of_data;
    if (check.session().mail->accepted + (all ? 0 : 1) < 2)
        return Verdict::dunno;
    return check.refuse(check.code(param::multi_recipient_bounce_reject_code), "5.5.3", check.subject(),
                        "Multi-recipient bounce");
}
}

namespace {
// known: some table has the address. reject is for tables that do not answer.
Verdict known_in(Check& check, const table::Maps& maps, std::string_view address, bool& known) {
    if (known || maps.empty())
        return Verdict::dunno;
    table::AddressRules rules;
    rules.delimiters = check.settings()[param::recipient_delimiter];
    rules.is_local = [&check](std::string_view domain) { return check.service().local_domains.rewrites_bare(domain); };
    auto hit = table::find_address(maps, address, rules);
    if (!hit) {
        maillog::warning("{}: {}", maps.title(), hit.error().reason);
        return check.unavailable(address);
    }
    known = hit->has_value();
    return Verdict::dunno;
}

}

// What error and retry say of it: "error:5.1.2 no such domain here". The transport decides what kind of answer it is;
// no text is a nexthop that is just the address's domain.
static Verdict refuse_for_transport(Check& check, const ipc::ResolveReply& where, const Subject& t) {
    const bool later = where.transport == "retry";
    const auto domain = mail::split_address(where.recipient).domain;
    const std::string_view nexthop = where.nexthop;
    mail::StatusText what =
        mail::split_status(domain && bytes::iequals(nexthop, *domain) ? std::string_view() : nexthop);
    EnhancedStatus status = what.enhanced.klass ? what.enhanced : EnhancedStatus{5, 1, 1};
    status.klass = later ? 4 : 5;
    return check.refuse(later ? 450 : 550, status.text(), t,
                        what.text.empty() ? "Address is undeliverable" : std::string(what.text));
}

Verdict unlisted(Check& check, Of of, std::string_view address) {
    const bool of_sender = of == Of::sender;
    check.look_for(of);
    Service& service = check.service();
    Subject t{std::string(address), of_sender ? "Sender address" : "Recipient address"};
    auto where = check.resolve(address);
    if (!where || (where->flags & ipc::ResolveReply::failed)) {
        if (!where)
            maillog::warning("{}", where.error().reason);
        return check.unavailable(address);
    }
    const std::string& canonical = where->recipient;
    // Aliases of any kind make an address known, whatever its class and wherever it would go without them.
    bool known = false;
    const table::Maps* aliases[] = {of_sender ? &service.sender_canonical : &service.recipient_canonical,
                                    &service.canonical, &service.virtual_aliases};
    for (const table::Maps* maps : aliases)
        if (known_in(check, *maps, canonical, known) == Verdict::reject)
            return Verdict::reject;
    if (known)
        return Verdict::dunno;
    // Virtual alias domains have the error transport for what is no alias.
    const bool fails = where->transport == "error" || where->transport == "retry";
    if (fails && !of_sender && where->address_class != ipc::AddressClass::virtual_alias)
        return refuse_for_transport(check, *where, t);
    std::string_view table_name;
    const conf::Int* code = nullptr;
    switch (where->address_class) {
    case ipc::AddressClass::local:
        // Nothing is said of local users where the table is empty, and bounces' own addresses always exist.
        if (service.local_recipients.empty())
            return Verdict::dunno;
        if (known_in(check, service.local_recipients, canonical, known) == Verdict::reject)
            return Verdict::reject;
        if (!known) {  // the bare name, also where only an address literal makes the domain ours
            auto local = mail::split_address(canonical).local;
            if (known_in(check, service.local_recipients, local, known) == Verdict::reject)
                return Verdict::reject;
            auto cut =
                mail::split_extension(local, {.delimiters = check.settings()[param::recipient_delimiter],
                                              .double_bounce_sender = check.settings()[param::double_bounce_sender]});
            if (!known && cut.extension &&
                known_in(check, service.local_recipients, cut.user, known) == Verdict::reject)
                return Verdict::reject;
            if (bytes::iequals(local, check.settings()[param::double_bounce_sender]))
                known = true;
        }
        table_name = "local recipient";
        code = &param::unknown_local_recipient_reject_code;
        break;
    case ipc::AddressClass::virtual_alias:
        table_name = "virtual alias";
        code = &param::unknown_virtual_alias_reject_code;
        break;
    case ipc::AddressClass::virtual_mailbox:
        if (service.virtual_mailboxes.empty())
            return Verdict::dunno;
        if (known_in(check, service.virtual_mailboxes, canonical, known) == Verdict::reject)
            return Verdict::reject;
        table_name = "virtual mailbox";
        code = &param::unknown_virtual_mailbox_reject_code;
        break;
    case ipc::AddressClass::relay:
        if (service.relay_recipients.empty())
            return Verdict::dunno;
        if (known_in(check, service.relay_recipients, canonical, known) == Verdict::reject)
            return Verdict::reject;
        table_name = "relay recipient";
        code = &param::unknown_relay_recipient_reject_code;
        break;
    default: return Verdict::dunno;
    }
    if (known)
        return Verdict::dunno;
    std::string text = "User unknown";
    if (check.settings()[param::show_user_unknown_table_name])
        text += " in " + std::string(table_name) + " table";
    const bool plain =
        of_sender &&
        where->address_class != ipc::AddressClass::virtual_alias;  // 5.1.0 as Postfix has it, 5.1.7 for an alias
    return check.refuse(check.code(*code), plain ? "5.1.0" : "5.1.1", t, text);
}
}
