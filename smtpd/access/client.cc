// Rules that look at the client: its address and name, and how it talks.
#include <fmt/format.h>
#include "access/check.h"
#include "conf/params/smtpd.h"

namespace smtpd::rule {
Verdict own_interfaces(Check& check, const Restriction& r) {
    const Client& c = check.client();
    return c.here() || check.service().local_domains.own_address(c.address) ? check.permit(r, check.subject(Of::client))
                                                                            : Verdict::dunno;
}

Verdict mynetworks(Check& check, const Restriction& r) {
    return check.client().in_mynetworks(check.service()) ? check.permit(r, check.subject(Of::client)) : Verdict::dunno;
}

namespace {
Verdict no_name(Check& check, dns::NameStatus status, std::string_view what) {
    int code = status == dns::NameStatus::temporary ? 450 : check.code(param::unknown_client_reject_code);
    return check.refuse(code, "5.7.25",
                        fmt::format("Client host rejected: cannot find your {}, [{}]", what, check.client().address));
}
}

// The name must lead back to the address.
Verdict unknown_client(Check& check, const Restriction&) {
    const Client& c = check.client();
    return c.name != "unknown" ? Verdict::dunno : no_name(check, c.name_status, "hostname");
}
// The reverse name must have an address at all.
Verdict unknown_forward_client(Check& check, const Restriction& r) {
    return check.client().name_status == dns::NameStatus::forged ? Verdict::dunno : unknown_client(check, r);
}
Verdict unknown_reverse_client(Check& check, const Restriction&) {
    const Client& c = check.client();
    if (c.reverse_name != "unknown" && c.reverse_status == dns::NameStatus::ok)
        return Verdict::dunno;
    // Everything but a name that is absent for good may pass.
    const bool absent = c.reverse_status == dns::NameStatus::permanent;
    return no_name(check, absent ? dns::NameStatus::permanent : dns::NameStatus::temporary, "reverse hostname");
}

Verdict early_pipelining(Check& check, const Restriction&) {
    return check.session().pipelined_early
               ? check.refuse(503, "5.5.0", check.subject(), "Improper use of SMTP command pipelining")
               : Verdict::dunno;
}
Verdict plaintext(Check& check, const Restriction&) {
    return check.client().encryption
               ? Verdict::dunno
               : check.refuse(check.code(param::plaintext_reject_code), "5.7.1", "Session encryption is required");
}
}
