#include "delivery/post.h"
#include <ctime>
#include <fmt/format.h>
#include "base/time.h"
#include "delivery/new_message.h"
#include "mail/dsn.h"

namespace delivery {
using queue::RecordType;

std::vector<std::string> received_lines(std::string_view myhostname, std::string_view mail_name,
                                        std::string_view queue_id, std::time_t when) {
    return {fmt::format("Received: by {} ({})", myhostname, mail_name),
            fmt::format("\tid {}; {}", queue_id, base::rfc5322_date(when))};
}

Result<std::string> post(ipc::Client& cleanup, const Posting& p,
                         const std::function<Result<void>(const Lines&)>& content) {
    TRY_ASSIGN(NewMessage message, NewMessage::open(cleanup, p.flags));
    const std::time_t now = std::time(nullptr), date = p.date ? p.date : now;
    namespace name = queue::attribute;
    message.attribute(name::log_message_origin, "local");
    message.attribute(name::rewrite_context, p.rewrite_header ? "local" : "none");
    if (!p.encoding.empty())
        message.attribute(name::encoding, p.encoding);
    message.put(RecordType::sender, p.sender);
    message.put(RecordType::dsn_notify, std::to_string(mail::notify::never));
    message.put(RecordType::recipient, p.recipient);
    message.put(RecordType::message);
    for (const std::string& line : received_lines(p.myhostname, p.mail_name, message.queue_id(), now))
        message.line(line, true);
    message.line(fmt::format("Date: {}", base::rfc5322_date(date)), true);
    TRY(content([&](std::string_view text, bool ends) {
        message.line(text, ends);
        return message.so_far();
    }));
    message.put(RecordType::extracted);
    TRY_ASSIGN(ipc::CleanupReply reply, message.finish());
    if (!reply.ok)
        return temporary(fmt::format("{} {}", reply.status, reply.reason));
    return message.queue_id();
}
}
