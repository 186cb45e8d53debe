// How postqueue prints a message: the mailq form, or one JSON object a line.
#pragma once
#include <string>
#include "ipc/mail_queue_list.h"

namespace postqueue {
class MailqFormat {
public:
    explicit MailqFormat(bool long_ids) : long_ids_(long_ids) {}
    std::string message(const ipc::QueueListMessage& message);  // with the heading, the first time
    std::string end() const;                                    // the totals, or that the queue is empty

private:
    bool long_ids_;
    std::int64_t bytes_ = 0, count_ = 0;
};
std::string json(const ipc::QueueListMessage& message);
std::string json_quoted(std::string_view text);
}
