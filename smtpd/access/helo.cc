// Rules that look at the name of HELO and EHLO.
#include <fmt/format.h>
#include "access/check.h"
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "conf/params/smtpd.h"
#include "mail/address.h"

namespace smtpd::rule {
namespace {
bool literal(std::string_view name) { return name.starts_with('['); }
// "[192.0.2.1]", "[IPv6:2001:db8::1]": one bracket makes it an address, or nothing.
Verdict judge_literal(Check& check, std::string_view name) {
    if (name.ends_with(']') && mail::address_literal(name.substr(1, name.size() - 2)))
        return Verdict::dunno;
    return check.refuse(check.code(param::invalid_hostname_reject_code), "5.5.2", check.subject(Of::helo),
                        "invalid ip address");
}
std::string_view bare(std::string_view name) { return name.ends_with('.') ? name.substr(0, name.size() - 1) : name; }
}

Verdict invalid_helo(Check& check, const Restriction&) {
    std::string_view name = check.client().helo;
    if (literal(name))
        return judge_literal(check, name);
    bool good = mail::valid_hostname(bare(name), check.settings()[param::smtputf8_enable]) || mail::valid_ipv4(name) ||
                mail::valid_ipv6(name);
    return good ? Verdict::dunno
                : check.refuse(check.code(param::invalid_hostname_reject_code), "5.5.2", check.subject(Of::helo),
                               "Invalid name");
}

Verdict non_fqdn_helo(Check& check, const Restriction&) {
    std::string_view name = check.client().helo;
    if (literal(name))
        return judge_literal(check, name);
    std::string_view host = bare(name);
    bool good = mail::valid_hostname(host, check.settings()[param::smtputf8_enable]) && host.find('.') != host.npos;
    return good ? Verdict::dunno
                : check.refuse(check.code(param::non_fqdn_reject_code), "5.5.2", check.subject(Of::helo),
                               "need fully-qualified hostname");
}

Verdict unknown_helo(Check& check, const Restriction&) {
    std::string name(bare(check.client().helo));
    if (literal(name))
        return Verdict::dunno;
    bool temporary = false;
    std::string reason;
    for (dns::Type type : {dns::Type::a, dns::Type::aaaa, dns::Type::mx}) {
        dns::Answer answer = check.service().resolver.query(name, type);
        if (answer || answer.status == dns::Status::null_mx)
            return Verdict::dunno;
        if (answer.temporary()) {
            temporary = true;
            reason = answer.reason;
        }
    }
    Subject t = check.subject(Of::helo);
    if (temporary)
        return check.put_off(check.settings()[param::unknown_helo_hostname_tempfail_action], "4.7.1",
                             fmt::format("<{}>: {} rejected: Host not found", t.name, t.klass));
    return check.refuse(check.code(param::unknown_hostname_reject_code), "5.7.1", t, "Host not found");
}
}
