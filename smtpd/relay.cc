// Who may send where: the address classes, and the restrictions that keep strangers from relaying.
#include <fmt/format.h>
#include "access.h"
#include "log/log.h"
#include "mail/address.h"

namespace smtpd {
Result<ipc::ResolveReply> Check::resolve(std::string_view address) { return service_.resolve(sender(), address); }

// Ours to deliver or to relay, and without routes of the sender's own choice (user@elsewhere@ours).
bool Check::destination_is_ours(const ipc::ResolveReply& where) const {
    if ((where.flags & ipc::ResolveReply::routed) && !service_.untrusted_routing) return false;
    return where.address_class != ipc::AddressClass::other;
}

// refuse_code 0: permit_auth_destination.
Verdict Check::auth_destination(const Restriction& r, int refuse_code) {
    auto where = resolve(recipient());
    Subject t = address_subject(false);
    if (!where || (where->flags & ipc::ResolveReply::failed)) {
        if (!where) maillog::warning("{}", where.error().reason);
        return refuse(451, "4.3.0", fmt::format("<{}>: Temporary lookup failure", t.name));
    }
    bool ours = destination_is_ours(*where);
    if (refuse_code == 0) return ours ? permit(r, t) : Verdict::dunno;
    if (ours) return Verdict::dunno;
    return refuse(refuse_code, "5.7.1", fmt::format("<{}>: Relay access denied", t.name));
}
}
