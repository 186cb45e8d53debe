#include "cleanup_client.h"

namespace smtpd {
namespace {
class Conversation final : public CleanupClient {
public:
    Conversation(ipc::Client& service, ipc::Client::Lease lease, std::string id)
        : service_(service), lease_(std::move(lease)) {
        id_ = std::move(id);
    }
    Result<ipc::CleanupReply> finish() override {
        put(queue::RecordType::end);
        if (failed_)
            return temporary(reason_);
        TRY(lease_->flush(deadline()));
        TRY_ASSIGN(ipc::CleanupReply reply, ipc::receive<ipc::CleanupReply>(lease_.stream(), deadline()));
        lease_.keep();
        return reply;
    }

protected:
    net::Stream& stream() override { return lease_.stream(); }
    loop::Deadline deadline() const override { return service_.deadline(); }

private:
    ipc::Client& service_;
    ipc::Client::Lease lease_;
};
}

Result<std::unique_ptr<CleanupClient>> CleanupClient::open(ipc::Client& service, int flags) {
    for (bool again = false;; again = true) {
        TRY_ASSIGN(ipc::Client::Lease lease, service.borrow(again));
        bool fresh = lease.fresh();
        auto opened = [&]() -> Result<ipc::CleanupOpened> {
            TRY(ipc::send(lease.stream(), ipc::CleanupOpen{flags}, service.deadline()));
            return ipc::receive<ipc::CleanupOpened>(lease.stream(), service.deadline());
        }();
        if (!opened) {  // nothing was promised yet: a kept connection that had gone stale is replaced
            if (!fresh && !again)
                continue;
            return tl::unexpected(std::move(opened.error()));
        }
        if (opened->queue_id.empty())
            return temporary(opened->reason);
        return std::make_unique<Conversation>(service, std::move(lease), std::move(opened->queue_id));
    }
}

void CleanupClient::put(queue::RecordType type, std::string_view payload) {
    if (failed_)
        return;
    char head[12];
    std::size_t size = 0;
    head[size++] = static_cast<char>(type);
    for (std::size_t n = payload.size();; n >>= 7) {
        head[size++] = static_cast<char>(n < 128 ? n : (n & 127) | 128);
        if (n < 128)
            break;
    }
    if (records_++ % 64 == 0)
        until_ = deadline();
    auto sent = stream().write(std::string_view(head, size), until_);
    if (sent && !payload.empty())
        sent = stream().write(payload, until_);
    if (!sent) {
        failed_ = true;
        reason_ = sent.error().reason;
    }
}

void CleanupClient::attribute(std::string_view name, std::string_view value) {
    std::string text;
    text.reserve(name.size() + value.size() + 1);
    text.append(name).append("=").append(value);
    put(queue::RecordType::attribute, text);
}
}
