// What each door of the mail system takes: the records of a message on its way in, and the attributes that a local
// user's submission may carry. postdrop(1) tells the user, who still waits; pickup(8) judges the file again; cleanup(8)
// judges whatever its clients send.
#pragma once
#include <string_view>
#include "base/bytes.h"
#include "queue/record.h"

namespace queue {
enum class Door {
    postdrop,    // from a user's sendmail
    submission,  // pickup, of a file that postdrop has made
    requeued,    // pickup, of a queue file that comes back (postsuper -r): with what milters and older releases wrote
    cleanup,
};
enum class Segment { envelope, content, extracted };

// The letters of RecordType, the one that ends the segment first.
constexpr std::string_view records(Door door, Segment segment) {
    const bool by_user = door == Door::postdrop || door == Door::submission;
    switch (segment) {
    case Segment::envelope:
        return door == Door::postdrop ? "MFSRVA" : by_user ? "MTFSRVA" : "MCTcFILSAROVW>fonDP/Kwi<er";
    case Segment::content: return "XLN";
    case Segment::extracted: return by_user ? "EAR" : "EARO>LfonDP/Kwer";
    }
    return {};
}
constexpr bool takes(Door door, Segment segment, RecordType type) {
    return records(door, segment).find(static_cast<char>(type)) != std::string_view::npos;
}

// May a submission carry name=value? A value is one line without NUL; of those with a few known values, one of these.
inline bool is_submission_attribute(std::string_view name, std::string_view value) {
    namespace a = attribute;
    if (!bytes::is_one_line(value))
        return false;
    if (name == a::rewrite_context)
        return value == "local" || value == "remote";
    if (name == a::encoding)
        return value == "7bit" || value == "8bit";
    for (std::string_view known : {a::envelope_id, a::ret_flags, a::notify_flags, a::trace_flags})
        if (name == known)
            return true;
    return name == "smtputf8" || name == "requiretls";
}
}
