#include "delivery/post.h"
#include <ctime>
#include <optional>
#include <fmt/format.h>
#include "base/time.h"
#include "ipc/cleanup.h"
#include "mail/dsn.h"
#include "queue/record.h"

namespace delivery {
namespace {
using queue::RecordType;
constexpr std::size_t line_piece = 2048;

class Records {
public:
    Records(net::Stream& stream, loop::Deadline deadline) : stream_(stream), deadline_(deadline) {}
    Result<void> put(RecordType type, std::string_view payload = {}) {
        buffer_.clear();
        queue::append(buffer_, type, payload);
        return stream_.write(buffer_, deadline_);
    }
    Result<void> line(std::string_view text, bool ends) {
        while (text.size() > line_piece) {
            TRY(put(RecordType::part, text.substr(0, line_piece)));
            text.remove_prefix(line_piece);
        }
        return put(ends ? RecordType::line : RecordType::part, text);
    }

private:
    net::Stream& stream_;
    loop::Deadline deadline_;
    std::string buffer_;
};

Result<ipc::CleanupOpened> ask_to_open(net::Stream& stream, int flags, loop::Deadline deadline) {
    TRY(ipc::send(stream, ipc::CleanupOpen{flags}, deadline));
    TRY(stream.flush(deadline));
    return ipc::receive<ipc::CleanupOpened>(stream, deadline);
}
}

std::vector<std::string> received_lines(std::string_view myhostname, std::string_view mail_name,
                                        std::string_view queue_id, std::time_t when) {
    return {fmt::format("Received: by {} ({})", myhostname, mail_name),
            fmt::format("\tid {}; {}", queue_id, base::rfc5322_date(when))};
}

Result<std::string> post(ipc::Client& cleanup, const Posting& p,
                         const std::function<Result<void>(const Lines&)>& content) {
    std::optional<ipc::Client::Lease> lease;
    ipc::CleanupOpened opened;
    for (bool again = false;; again = true) {
        Result<ipc::Client::Lease> borrowed = cleanup.borrow(again);
        if (!borrowed)
            return tl::unexpected(std::move(borrowed.error()));
        lease.emplace(std::move(*borrowed));
        Result<ipc::CleanupOpened> reply = ask_to_open(lease->stream(), p.flags, cleanup.deadline());
        if (reply) {
            opened = std::move(*reply);
            break;
        }
        if (again || lease->fresh())
            return tl::unexpected(std::move(reply.error()));
        lease.reset();  // a kept connection that cleanup has closed meanwhile
    }
    if (opened.queue_id.empty())
        return temporary(opened.reason);

    Records records(lease->stream(), cleanup.deadline());
    const std::time_t now = std::time(nullptr), date = p.date ? p.date : now;
    TRY(records.put(RecordType::attribute, "log_message_origin=local"));
    TRY(records.put(RecordType::attribute, p.rewrite_header ? "rewrite_context=local" : "rewrite_context=none"));
    if (!p.encoding.empty())
        TRY(records.put(RecordType::attribute, "encoding=" + p.encoding));
    TRY(records.put(RecordType::sender, p.sender));
    TRY(records.put(RecordType::dsn_notify, std::to_string(mail::notify::never)));
    TRY(records.put(RecordType::recipient, p.recipient));
    TRY(records.put(RecordType::message));
    for (const std::string& line : received_lines(p.myhostname, p.mail_name, opened.queue_id, now))
        TRY(records.line(line, true));
    TRY(records.line(fmt::format("Date: {}", base::rfc5322_date(date)), true));
    TRY(content([&](std::string_view text, bool ends) { return records.line(text, ends); }));
    TRY(records.put(RecordType::extracted));
    TRY(records.put(RecordType::end));
    TRY(lease->stream().flush(cleanup.deadline()));
    TRY_ASSIGN(ipc::CleanupReply reply, ipc::receive<ipc::CleanupReply>(lease->stream(), cleanup.deadline()));
    lease->keep();
    if (!reply.ok)
        return temporary(fmt::format("{} {}", reply.status, reply.reason));
    return opened.queue_id;
}
}
