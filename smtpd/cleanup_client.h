// Where one message's records go: to cleanup (ipc/cleanup.h), or, stand-alone, to postdrop. Records are gathered in the
// connection's buffer and go out in large writes. Opening tells the queue id; finish() tells whether the message is on
// stable storage.
//
// When things fail: failed() is set, what follows is dropped, and finish() returns the reason. Destroyed before
// finish(): the message is withdrawn.
#pragma once
#include <memory>
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
    virtual ~CleanupClient() = default;
    const std::string& queue_id() const { return id_; }
    virtual void put(queue::RecordType type, std::string_view payload = {});
    void attribute(std::string_view name, std::string_view value);
    bool failed() const { return failed_; }
    virtual Result<ipc::CleanupReply> finish() = 0;

protected:
    CleanupClient() = default;
    virtual net::Stream& stream() = 0;
    virtual loop::Deadline deadline() const = 0;
    std::string id_{}, reason_{};
    bool failed_ = false;

private:
    loop::Deadline until_{};  // of writes: looked up once for many records
    unsigned records_ = 0;
};
}
