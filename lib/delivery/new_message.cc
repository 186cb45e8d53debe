#include "delivery/new_message.h"

namespace delivery {
namespace {
constexpr std::size_t line_piece = 2048;

Result<ipc::CleanupOpened> ask_to_open(net::Stream& stream, int flags, loop::Deadline deadline) {
    TRY(ipc::send(stream, ipc::CleanupOpen{flags}, deadline));
    TRY(stream.flush(deadline));
    return ipc::receive<ipc::CleanupOpened>(stream, deadline);
}
}

NewMessage::NewMessage(ipc::Client& cleanup, ipc::Client::Lease lease, std::string id)
    : cleanup_(&cleanup), lease_(std::move(lease)), id_(std::move(id)) {}

Result<NewMessage> NewMessage::open(ipc::Client& cleanup, int flags) {
    for (bool again = false;; again = true) {
        TRY_ASSIGN(ipc::Client::Lease lease, cleanup.borrow(again));
        auto opened = ask_to_open(lease.stream(), flags, cleanup.deadline());
        if (!opened) {
            if (!again && !lease.fresh())
                continue;
            return tl::unexpected(std::move(opened.error()));
        }
        if (opened->queue_id.empty())
            return temporary(opened->reason);
        return NewMessage(cleanup, std::move(lease), std::move(opened->queue_id));
    }
}

void NewMessage::put(queue::RecordType type, std::string_view payload) {
    if (failed_)
        return;
    char head[queue::head_max];
    const std::size_t size = queue::head(head, type, payload.size());
    if (records_++ % 64 == 0)
        until_ = cleanup_->deadline();
    auto sent = lease_->write(std::string_view(head, size), until_);
    if (sent && !payload.empty())
        sent = lease_->write(payload, until_);
    if (sent)
        return;
    failed_ = true;
    reason_ = sent.error().reason;
}

void NewMessage::attribute(std::string_view name, std::string_view value) {
    put(queue::RecordType::attribute, queue::attribute_payload(name, value));
}

void NewMessage::line(std::string_view text, bool ends) {
    for (; text.size() > line_piece; text.remove_prefix(line_piece))
        put(queue::RecordType::part, text.substr(0, line_piece));
    put(ends ? queue::RecordType::line : queue::RecordType::part, text);
}

Result<ipc::CleanupReply> NewMessage::finish() {
    put(queue::RecordType::end);
    if (failed_)
        return temporary(reason_);
    TRY(lease_->flush(cleanup_->deadline()));
    TRY_ASSIGN(ipc::CleanupReply reply, ipc::receive<ipc::CleanupReply>(lease_.stream(), cleanup_->deadline()));
    lease_.keep();
    return reply;
}
}
