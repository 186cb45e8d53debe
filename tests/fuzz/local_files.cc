// What users and administrators of local mail write: .forward and :include: files, right-hand sides of aliases; the
// records of sendmail.
// uses: local_core postdrop_core
#include "fuzz.h"
#include "destinations.h"
#include "records.h"

void fuzz::one(std::string_view bytes) {
    std::size_t total = 0;
    for (const auto& d : local::parse_destinations(bytes))
        total += d.text.size();
    fuzz::require(total <= 4 * bytes.size() + 100, "destinations are no longer than the text");
    total = 0;
    for (const auto& d : local::parse_destination_lines(bytes)) {
        if (d.kind == local::Destination::Kind::file)
            fuzz::require(d.text.starts_with('/') || d.text.starts_with('~'),
                          "a file has an absolute path, or one in a home directory", d.text);
        total += d.text.size();
    }
    fuzz::require(total <= 4 * bytes.size() + 100, "destinations of lines are no longer than the text");
    postdrop::RecordFilter filter;
    for (std::string_view left = bytes; !left.empty() && !filter.ended();) {
        auto record = queue::decode(left);
        if (!record || !filter.check(record->type, record->payload))
            break;
    }
}
