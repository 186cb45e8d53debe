// The conversation with cleanup for one message (ipc/cleanup.h): records are gathered in the kept connection's buffer and go out in
// large writes. Opening tells the queue id; finish() tells whether the message is on stable storage.
//
// When things fail: failed() is set, what follows is dropped, and finish() returns the reason. Destroyed before finish(): the message is
// withdrawn.
#pragma once
#include <string>
#include <string_view>
#include "ipc/cleanup.h"
#include "ipc/client.h"
#include "queue/record.h"

namespace smtpd {
class CleanupClient {
public:
    // Connects (a kept connection where there is one) and waits for the queue id.
    static Result<std::unique_ptr<CleanupClient>> open(ipc::Client& service, int flags);
    const std::string& queue_id() const { return id_; }
    void put(queue::RecordType type, std::string_view payload = {});
    void attribute(std::string_view name, std::string_view value);
    bool failed() const { return failed_; }
    Result<ipc::CleanupReply> finish();

private:
    CleanupClient(ipc::Client& service, ipc::Client::Lease lease) : service_(service), lease_(std::move(lease)) {}
    ipc::Client& service_;
    ipc::Client::Lease lease_;
    std::string id_{}, reason_{};
    bool failed_ = false;
};
}
