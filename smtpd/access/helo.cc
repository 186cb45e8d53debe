// Restrictions that look at the name of HELO and EHLO.
#include <fmt/format.h>
#include "access/check.h"
#include "base/bytes.h"
#include "conf/params/smtpd.h"
#include "mail/address.h"

namespace smtpd {
namespace {
bool literal(std::string_view name) { return name.starts_with('['); }
std::string_view bare(std::string_view name) { return name.ends_with('.') ? name.substr(0, name.size() - 1) : name; }
}

Verdict Check::invalid_helo() {
    std::string_view name = session_.helo();
    bool good =
        literal(name)
            ? name.ends_with(']') && mail::address_literal(name.substr(1, name.size() - 2)).has_value()
            : mail::valid_hostname(bare(name), service_.smtputf8) || mail::valid_ipv4(name) || mail::valid_ipv6(name);
    return good ? Verdict::dunno
                : refuse(static_cast<int>(service_.settings()[param::invalid_hostname_reject_code]), "5.5.2",
                         helo_subject(), "Invalid name");
}

Verdict Check::non_fqdn_helo() {
    std::string_view name = session_.helo();
    if (literal(name))
        return Verdict::dunno;
    std::string_view host = bare(name);
    bool good = mail::valid_hostname(host, service_.smtputf8) && host.find('.') != host.npos;
    return good ? Verdict::dunno
                : refuse(static_cast<int>(service_.settings()[param::non_fqdn_reject_code]), "5.5.2", helo_subject(),
                         "need fully-qualified hostname");
}

Verdict Check::unknown_helo() {
    std::string name(bare(session_.helo()));
    const conf::Settings& s = service_.settings();
    if (literal(name))
        return Verdict::dunno;
    bool temporary = false;
    std::string reason;
    for (dns::Type type : {dns::Type::a, dns::Type::aaaa, dns::Type::mx}) {
        dns::Answer answer = service_.resolver.query(name, type);
        if (answer || answer.status == dns::Status::null_mx)
            return Verdict::dunno;
        if (answer.temporary()) {
            temporary = true;
            reason = answer.reason;
        }
    }
    Subject t = helo_subject();
    if (temporary)
        return put_off(s[param::unknown_helo_hostname_tempfail_action], "4.7.1",
                       fmt::format("<{}>: {} rejected: Host not found", t.name, t.klass));
    return refuse(static_cast<int>(s[param::unknown_hostname_reject_code]), "5.7.1", t, "Host not found");
}
}
