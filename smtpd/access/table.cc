// check_…_access: looking a client, name, address or its servers up in a table. What the table says: actions.cc.
#include "access/check.h"
#include "conf/params/commands.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "mail/address.h"

namespace smtpd {
Verdict broken_table(Check& check, const Restriction& r, const Error& why, const Subject& s) {
    maillog::warning("{}: {}", r.argument, why.reason);
    return check.refuse(451, "4.3.5", s, "Server configuration error");
}

namespace {
// The value where there is one; else verdict is what the rule comes to.
std::optional<std::string> table_hit(Check& check, const Restriction& r,
                                     const Result<std::optional<table::AddressMatch>>& hit, const Subject& s,
                                     Verdict& verdict) {
    verdict = Verdict::dunno;
    if (!hit) {
        verdict = broken_table(check, r, hit.error(), s);
        return std::nullopt;
    }
    if (!*hit)
        return std::nullopt;
    return (*hit)->value;
}

Verdict table_host(Check& check, const Restriction& r, bool with_address) {
    const std::string_view name = check.host(r.rule->of);
    const Subject s = check.subject(r.rule->of);
    Verdict v;
    std::string_view host = name.ends_with('.') && name.size() > 1 ? name.substr(0, name.size() - 1) : name;
    if (auto value = table_hit(check, r, table::find_domain(*r.table, host, check.service().access_parents), s, v))
        return act(check, r, name, *value, s);
    if (v != Verdict::dunno || !with_address)
        return v;
    const std::string& address = check.client().address;
    if (auto value = table_hit(check, r, table::find_network(*r.table, address), s, v))
        return act(check, r, address, *value, s);
    return v;
}

// The names and addresses of a domain's MX hosts, name servers, or its own addresses.
Verdict table_servers(Check& check, const Restriction& r, dns::Type type) {
    const Subject s = check.subject(r.rule->of);
    std::string_view domain = check.host(r.rule->of);
    if (domain.ends_with('.'))
        domain.remove_suffix(1);
    std::string name = mail::to_ascii_domain(domain).value_or("");
    if (name.empty() || name == "unknown" || name.starts_with('[') || !dns::valid_hostname(name))
        return Verdict::dunno;
    std::vector<std::string> hosts;
    auto temporary = [&](const dns::Answer& a, std::string_view of) {
        maillog::warning("Unable to look up {} host for {}: {}", dns::name_of(type), of, a.reason);
        return Verdict::dunno;
    };
    if (type == dns::Type::a)
        hosts.push_back(name);
    else {
        dns::Answer answer = check.service().resolver.query(name, type);
        // Name servers are those of the nearest parent that has some; a domain without MX is its own.
        for (std::size_t dot; type == dns::Type::ns && !answer && !answer.temporary() &&
                              (dot = name.find('.')) != name.npos && name.find('.', dot + 1) != name.npos;) {
            name.erase(0, dot + 1);
            answer = check.service().resolver.query(name, type);
        }
        if (answer.temporary())
            return temporary(answer, name);
        if (!answer && type == dns::Type::mx)
            hosts.push_back(name);
        for (const dns::Record& record : answer.records)
            hosts.push_back(record.value);
    }
    if (hosts.size() > 20)
        hosts.resize(20);
    Verdict v;
    for (const std::string& host : hosts) {
        if (type != dns::Type::a) {
            if (auto value =
                    table_hit(check, r, table::find_domain(*r.table, host, check.service().access_parents), s, v))
                return act(check, r, host, *value, s);
            if (v != Verdict::dunno)
                return v;
        }
        for (dns::Type family : {dns::Type::a, dns::Type::aaaa}) {
            dns::Answer addresses = check.service().resolver.query(host, family);
            if (addresses.temporary()) {
                (void)temporary(addresses, host);
                continue;
            }
            for (const dns::Record& record : addresses.records) {
                if (auto value = table_hit(check, r, table::find_network(*r.table, record.value), s, v))
                    return act(check, r, record.value, *value, s);
                if (v != Verdict::dunno)
                    return v;
            }
        }
    }
    return Verdict::dunno;
}
}

namespace rule {
Verdict table_client(Check& check, const Restriction& r) { return table_host(check, r, true); }
Verdict table_name(Check& check, const Restriction& r) { return table_host(check, r, false); }
Verdict table_hosts(Check& check, const Restriction& r) { return table_servers(check, r, dns::Type::a); }
Verdict table_exchangers(Check& check, const Restriction& r) { return table_servers(check, r, dns::Type::mx); }
Verdict table_nameservers(Check& check, const Restriction& r) { return table_servers(check, r, dns::Type::ns); }

Verdict table_address(Check& check, const Restriction& r) {
    Service& service = check.service();
    const Subject s = check.subject(r.rule->of);
    const std::string& address = check.address(r.rule->of);
    Verdict v;
    if (address.empty()) {
        if (auto value = table_hit(check, r,
                                   table::find_domain(*r.table, check.settings()[param::smtpd_null_access_lookup_key],
                                                      table::Parents::none),
                                   s, v))
            return act(check, r, check.settings()[param::smtpd_null_access_lookup_key], *value, s);
        return v;
    }
    auto where = check.resolve(address);
    if (!where || (where->flags & ipc::ResolveReply::failed)) {
        if (!where)
            maillog::warning("{}", where.error().reason);
        return check.unavailable(s.name);
    }
    table::AddressRules rules;
    rules.forms = table::forms_access;
    rules.delimiters = check.settings()[param::recipient_delimiter];
    rules.parents = service.access_parents;
    if (auto value = table_hit(check, r, table::find_address(*r.table, where->recipient, rules), s, v))
        return act(check, r, where->recipient, *value, s);
    return v;
}
}
}
