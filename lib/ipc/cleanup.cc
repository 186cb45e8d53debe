#include "ipc/cleanup.h"
#include "base/bytes.h"
#include "conf/params/services.h"
#include "conf/settings.h"

namespace ipc {
Result<ReceiveOverrides> receive_overrides(const conf::Settings& settings) {
    namespace f = cleanup_flags;
    ReceiveOverrides out;
    for (std::string_view word : bytes::split(settings[param::receive_override_options], ", \t\r\n")) {
        if (bytes::iequals(word, "no_unknown_recipient_checks"))
            out.unknown_recipients = true;
        else if (bytes::iequals(word, "no_address_mappings"))
            out.flags &= ~(f::map_addresses | f::bcc);
        else if (bytes::iequals(word, "no_header_body_checks"))
            out.flags &= ~f::filter;
        else if (bytes::iequals(word, "no_milters"))
            out.flags &= ~f::milter;
        else
            return permanent(
                "parameter receive_override_options: unknown option \"" + std::string(word) +
                "\": use no_unknown_recipient_checks, no_address_mappings, no_header_body_checks, no_milters");
    }
    return out;
}
}
