#include "records.h"
#include <unistd.h>
#include "base/bytes.h"
#include "log/log.h"

namespace postdrop {
using queue::RecordType;
using queue::Segment;

Result<RecordFilter::Fate> RecordFilter::check(RecordType type, std::string_view payload) {
    const auto letter = static_cast<char>(type);
    if (ended_ || !queue::takes(queue::Door::postdrop, segment_, type))
        return permanent("unexpected record type: " + std::to_string(static_cast<int>(letter)));
    // Longer addresses are refused by every part of the mail system, some of them again and again: the user is told at
    // once.
    if (type != RecordType::line && type != RecordType::part && payload.size() > envelope_record_max_)
        return permanent("illegal length " + std::to_string(payload.size()) + ", record type " +
                         std::to_string(static_cast<int>(letter)) + ": the limit is " +
                         std::to_string(envelope_record_max_));
    if (type != RecordType::line && type != RecordType::part && payload.find('\0') != payload.npos)
        return permanent("NUL in record type " + std::to_string(static_cast<int>(letter)) +
                         ": an address, name or attribute is text");
    switch (type) {
    case RecordType::message: segment_ = Segment::content; break;
    case RecordType::extracted: segment_ = Segment::extracted; break;
    case RecordType::end: ended_ = true; break;
    case RecordType::sender:
        if (has_sender_)
            return permanent("more than one sender");
        has_sender_ = true;
        sender_ = payload;
        break;
    case RecordType::attribute: {
        const auto [name, value] = bytes::cut(payload, '=');
        if (!value || name.empty()) {
            maillog::warning("uid={}: ignoring malformed record: missing '=' after attribute name: {:.200}",
                             static_cast<long>(::getuid()), payload);
            return Fate::drop;
        }
        if (!queue::is_submission_attribute(name, *value)) {
            maillog::warning("uid={}: ignoring attribute record: {:.200}={:.200}", static_cast<long>(::getuid()), name,
                             *value);
            return Fate::drop;
        }
        break;
    }
    default: break;
    }
    return Fate::keep;
}
}
