// See delivery/delivered_to.h.
#include "delivery/delivered_to.h"

#include "base/bytes.h"
#include "mail/address.h"
#include "mail/header.h"

namespace delivery {
std::set<std::string> delivered_addresses(const Job& job) {
    constexpr std::size_t most = 1000, line_max = 2048;
    std::set<std::string> out;
    queue::ContentReader content = job.content();
    std::string line;
    for (bool more = true; more;) {
        auto piece = content.next();
        if (!piece || !*piece)
            break;
        if (line.size() < line_max)
            line.append((*piece)->text.substr(0, line_max));
        if (!(*piece)->ends_line)
            continue;
        std::size_t name = mail::header_name_length(line);
        bool continued = !line.empty() && bytes::is_space(line[0]);
        if (name > 0 && bytes::iequals(std::string_view(line).substr(0, name), "delivered-to"))
            out.insert(
                mail::fold_case(mail::to_internal(bytes::trim(std::string_view(line).substr(line.find(':') + 1)))));
        more = (name > 0 || continued || line.starts_with("From ") || line.starts_with(">From ")) && out.size() < most;
        line.clear();
    }
    return out;
}
}
