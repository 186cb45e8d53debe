// Posts a message of our own to cleanup (ipc/cleanup.h): envelope, Received and Date, then what the caller writes.
//
// When things fail: an Error; nothing was queued.
#pragma once
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "ipc/client.h"

namespace delivery {
// A piece of a line, or its end.
using Lines = std::function<Result<void>(std::string_view text, bool ends_line)>;

struct Posting {
    std::string sender, recipient;  // internal form
    int flags = 0;                  // ipc::cleanup_flags
    std::string encoding;           // "8bit", "7bit", ""
    std::string myhostname, mail_name;
    std::time_t date = 0;  // of the Date header; 0: now
    bool rewrite_header =
        true;  // addresses in the header may be completed and mapped; a signed message must stay as it is
};
// The two lines of the Received: field of a message that begins here.
std::vector<std::string> received_lines(std::string_view myhostname, std::string_view mail_name,
                                        std::string_view queue_id, std::time_t when);
// The new message's queue id.
Result<std::string> post(ipc::Client& cleanup, const Posting& posting,
                         const std::function<Result<void>(const Lines&)>& content);
}
