#include "cleanup_client.h"

namespace smtpd {
Result<std::unique_ptr<CleanupClient>> CleanupClient::open(ipc::Client& service, int flags) {
    for (bool again = false;; again = true) {
        TRY_ASSIGN(ipc::Client::Lease lease, service.borrow(again));
        bool fresh = lease.fresh();
        auto opened = [&]() -> Result<ipc::CleanupOpened> {
            TRY(ipc::send(lease.stream(), ipc::CleanupOpen{flags}, service.deadline()));
            return ipc::receive<ipc::CleanupOpened>(lease.stream(), service.deadline());
        }();
        if (!opened) {                           // nothing was promised yet: a kept connection that had gone stale is replaced
            if (!fresh && !again) continue;
            return tl::unexpected(std::move(opened.error()));
        }
        if (opened->queue_id.empty()) return temporary(opened->reason);
        std::unique_ptr<CleanupClient> client(new CleanupClient(service, std::move(lease)));
        client->id_ = std::move(opened->queue_id);
        return client;
    }
}

void CleanupClient::put(queue::RecordType type, std::string_view payload) {
    if (failed_) return;
    std::string head;
    head.push_back(static_cast<char>(type));
    for (std::size_t n = payload.size();; n >>= 7) {
        head.push_back(static_cast<char>(n < 128 ? n : (n & 127) | 128));
        if (n < 128) break;
    }
    auto sent = lease_->write(head, service_.deadline());
    if (sent && !payload.empty()) sent = lease_->write(payload, service_.deadline());
    if (!sent) { failed_ = true; reason_ = sent.error().reason; }
}

void CleanupClient::attribute(std::string_view name, std::string_view value) {
    std::string text;
    text.reserve(name.size() + value.size() + 1);
    text.append(name).append("=").append(value);
    put(queue::RecordType::attribute, text);
}

Result<ipc::CleanupReply> CleanupClient::finish() {
    put(queue::RecordType::end);
    if (failed_) return temporary(reason_);
    TRY(lease_->flush(service_.deadline()));
    TRY_ASSIGN(ipc::CleanupReply reply, ipc::receive<ipc::CleanupReply>(lease_.stream(), service_.deadline()));
    lease_.keep();
    return reply;
}
}
