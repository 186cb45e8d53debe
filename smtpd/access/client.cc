// Restrictions that look at the client's address and name.
#include <fmt/format.h>
#include "access/check.h"
#include "conf/params/smtpd.h"

namespace smtpd {
Verdict Check::mynetworks(const Restriction& r) {
    return session_.in_mynetworks() ? permit(r, client_subject()) : Verdict::dunno;
}

// The name must lead back to the address; forward_only asks just that the reverse name has an address at all.
Verdict Check::unknown_client(bool forward_only) {
    const Client& c = session_.client();
    dns::Verdict status = c.name_status;
    bool known = c.name != "unknown" || (forward_only && status == dns::Verdict::forged);
    if (known)
        return Verdict::dunno;
    bool temporary = status == dns::Verdict::temporary;
    int code = temporary ? 450 : static_cast<int>(service_.settings()[param::unknown_client_reject_code]);
    return refuse(code, "5.7.25", fmt::format("Client host rejected: cannot find your hostname, [{}]", c.address));
}
}
