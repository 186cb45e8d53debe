// Posts a message of our own to cleanup (ipc/cleanup.h): envelope, Received and Date, then what the caller writes.
//
// When things fail: an Error; nothing was queued.
#pragma once
#include <functional>
#include <string>
#include "base/error.h"
#include "ipc/client.h"
#include "report.h"

namespace bounce {
struct Posting {
    std::string sender, recipient;               // internal form
    int flags = 0;                               // ipc::cleanup_flags
    std::string encoding;                        // "8bit", "7bit", ""
    std::string myhostname, mail_name;
};
// The new message's queue id.
Result<std::string> post(ipc::Client& cleanup, const Posting& posting, const std::function<Result<void>(const Lines&)>& content);
}
