#include "records.h"
#include <unistd.h>
#include "base/bytes.h"
#include "log/log.h"

namespace postdrop {
using queue::RecordType;

bool submission_attribute(std::string_view name) {
    namespace a = queue::attribute;
    for (std::string_view known : {a::rewrite_context, a::envelope_id, a::ret_flags, a::notify_flags, a::encoding, a::trace_flags})
        if (name == known) return true;
    return name == "smtputf8" || name == "requiretls";
}

Result<RecordFilter::Verdict> RecordFilter::check(RecordType type, std::string_view payload) {
    const char letter = static_cast<char>(type);
    const std::string_view expected = segment_ == Segment::envelope ? "MFSRVA" : segment_ == Segment::content ? "XLN" : "EAR";
    if (segment_ == Segment::ended || expected.find(letter) == std::string_view::npos)
        return permanent("unexpected record type: " + std::to_string(static_cast<int>(letter)));
    // Longer addresses are refused by every part of the mail system, some of them again and again: the user is told at once.
    if (type != RecordType::line && type != RecordType::part && payload.size() > envelope_record_max_)
        return permanent("illegal length " + std::to_string(payload.size()) + ", record type " + std::to_string(static_cast<int>(letter)) + ": the limit is " +
                         std::to_string(envelope_record_max_));
    switch (type) {
    case RecordType::message: segment_ = Segment::content; break;
    case RecordType::extracted: segment_ = Segment::extracted; break;
    case RecordType::end: segment_ = Segment::ended; break;
    case RecordType::sender:
        if (has_sender_) return permanent("more than one sender");
        has_sender_ = true;
        sender_ = payload;
        break;
    case RecordType::attribute: {
        const auto [name, value] = bytes::cut(payload, '=');
        if (!value || name.empty()) {
            maillog::warning("uid={}: ignoring malformed record: missing '=' after attribute name: {:.200}", static_cast<long>(::getuid()), payload);
            return Verdict::drop;
        }
        if (!submission_attribute(name)) {
            maillog::warning("uid={}: ignoring attribute record: {:.200}={:.200}", static_cast<long>(::getuid()), name, *value);
            return Verdict::drop;
        }
        break;
    }
    default: break;
    }
    return Verdict::keep;
}
}
