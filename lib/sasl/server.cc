#include "sasl/server.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "sasl/dovecot.h"

namespace sasl {
Result<SecurityOptions> parse_security_options(std::string_view text) {
    SecurityOptions out;
    for (std::string_view word : bytes::split(text, ", \t\r\n")) {
        if (bytes::iequals(word, "noplaintext"))
            out.without |= plaintext;
        else if (bytes::iequals(word, "noactive"))
            out.without |= active;
        else if (bytes::iequals(word, "nodictionary"))
            out.without |= dictionary;
        else if (bytes::iequals(word, "noanonymous"))
            out.without |= anonymous;
        else if (bytes::iequals(word, "forward_secrecy"))
            out.with |= forward_secrecy;
        else if (bytes::iequals(word, "mutual_auth"))
            out.with |= mutual_auth;
        else
            return permanent(fmt::format("\"{}\" is no security option: noplaintext, noactive, nodictionary, "
                                         "noanonymous, forward_secrecy or mutual_auth is expected",
                                         bytes::printable(word)));
    }
    return out;
}

Result<std::vector<std::string>> offered(const std::vector<Mechanism>& mechanisms, const SecurityOptions& options,
                                         const table::MatchList& filter) {
    std::vector<std::string> names;
    for (const Mechanism& m : mechanisms) {
        if (!options.allow(m))
            continue;
        TRY_ASSIGN(bool wanted, filter.match(m.name));
        if (wanted)
            names.push_back(m.name);
    }
    return names;
}

Result<std::unique_ptr<Server>> open_server(std::string_view type, const std::string& path,
                                            const std::string& service) {
    if (type == "dovecot")
        return open_dovecot(path, service);
    return permanent(
        fmt::format("\"{}\" is no SASL server that is built in: dovecot is expected", bytes::printable(type)));
}
}
