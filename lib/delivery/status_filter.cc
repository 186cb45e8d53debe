// default_delivery_status_filter and its kin. A filter that does not answer, or answers what it must not, changes
// nothing: the event stands as it was, with a warning.
#include "base/bytes.h"
#include "delivery/services.h"
#include "log/log.h"

namespace delivery {
Event filtered(const table::Maps& filter, const Event& event) {
    if (filter.empty())
        return event;
    std::string key = event.status.text() + " " + event.text;
    auto found = filter.find(key);
    if (!found) {
        maillog::warning("{}: {}", filter.title(), found.error().reason);
        return event;
    }
    if (!*found)
        return event;
    Event out = event;
    std::string_view value = bytes::trim(**found);
    std::size_t taken = EnhancedStatus::parse(value, out.status);
    std::string_view text = taken ? bytes::trim(value.substr(taken)) : std::string_view();
    if (taken == 0 || text.empty() || !bytes::is_space(value[taken])) {
        maillog::warning("{}: \"{}\" is no status code with a text behind it (for \"{}\")", filter.title(),
                         value.substr(0, 100), key.substr(0, 200));
        return event;
    }
    if (out.status.success() != event.status.success()) {
        maillog::warning("{}: \"{}\" would turn success into failure, or failure into success (for \"{}\")",
                         filter.title(), value.substr(0, 100), key.substr(0, 200));
        return event;
    }
    out.text = text;
    return out;
}
}
