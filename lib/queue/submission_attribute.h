// The attributes that a local user's submission may carry: postdrop(1) tells the user, pickup(8) judges again.
#pragma once
#include <string_view>
#include "base/bytes.h"
#include "queue/record.h"

namespace queue {
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
