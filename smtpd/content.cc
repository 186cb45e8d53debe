#include "content.h"
#include "downstream.h"
#include "log/log.h"

namespace smtpd {
void Content::begin(Downstream& to, std::int64_t size_limit) {
    to_ = &to;
    size_limit_ = size_limit;
    bytes_ = 0;
    over_limit_ = false;
}

void Content::line(std::string_view text, bool ends) {
    if (over_limit_)
        return;
    const std::int64_t size = static_cast<std::int64_t>(text.size()) + (ends ? 2 : 0);
    if (bytes_ == 0) {
        if (text.starts_with("From ") || text.starts_with(">From ")) {
            bytes_ += size;
            return to_->line("X-Mailbox-Line: " + std::string(text), ends);
        }
        if (!text.empty() && (text[0] == ' ' || text[0] == '\t'))
            to_->line({}, true);
    }
    if (size_limit_ > 0 && bytes_ > size_limit_ - size) {
        over_limit_ = true;
        maillog::warning("{}: queue file size limit exceeded", to_->queue_id());
        return;
    }
    bytes_ += size;
    to_->line(text, ends);
}
}
