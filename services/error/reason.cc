#include "reason.h"
#include "base/bytes.h"

namespace error_service {
Reason parse_reason(std::string_view nexthop, bool deferring) {
    Reason r{{static_cast<std::uint8_t>(deferring ? 4 : 5), 0, 0}, std::string(nexthop)};
    EnhancedStatus given;
    std::size_t length = EnhancedStatus::parse(nexthop, given);
    if (length > 0 && (length == nexthop.size() || bytes::is_space(nexthop[length]))) {
        r.text = bytes::trim(nexthop.substr(length));
        if (given.klass == r.status.klass)
            r.status = given;  // a 4.x.x does not make error(8) defer, nor a 5.x.x retry(8) bounce
    }
    return r;
}
}
