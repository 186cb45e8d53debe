// What error and retry make of the nexthop that transport maps or qmgr gave them: "5.1.1 no such user" or plain text.
#pragma once
#include <string>
#include <string_view>
#include "base/error.h"

namespace error_service {
struct Reason {
    EnhancedStatus status;
    std::string text;
};
// Without a status in front, or with one of the other class, the text gets 5.0.0, or 4.0.0 with deferring.
Reason parse_reason(std::string_view nexthop, bool deferring);
}
