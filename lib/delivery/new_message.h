// One message on its way to cleanup (ipc/cleanup.h): opening tells its queue id; its records are gathered in the
// connection's buffer and go out in large writes; finish() tells whether it is on stable storage.
//
//     TRY_ASSIGN(delivery::NewMessage message, delivery::NewMessage::open(cleanup, flags));
//     message.put(RecordType::sender, "a@example.org"); …
//     TRY_ASSIGN(ipc::CleanupReply reply, message.finish());
//
// When things fail: after a record that could not be sent the others are dropped, and finish() returns the reason.
// Destroyed before finish() has succeeded, the message is withdrawn.
#pragma once
#include <string>
#include <string_view>
#include "ipc/cleanup.h"
#include "ipc/client.h"
#include "queue/record.h"

namespace delivery {
class NewMessage {
public:
    // A kept connection that cleanup has closed meanwhile is replaced: nothing was promised on it.
    static Result<NewMessage> open(ipc::Client& cleanup, int flags);
    const std::string& queue_id() const { return id_; }
    void put(queue::RecordType type, std::string_view payload = {});
    void attribute(std::string_view name, std::string_view value);
    // Text of any length, in records of at most line_piece bytes; ends: of a line.
    void line(std::string_view text, bool ends);
    // An Error once a record could not be sent.
    Result<void> so_far() const { return failed_ ? Result<void>(temporary(reason_)) : Result<void>(); }
    // Sends END and waits for cleanup's answer.
    Result<ipc::CleanupReply> finish();

private:
    NewMessage(ipc::Client& cleanup, ipc::Client::Lease lease, std::string id);
    ipc::Client* cleanup_;
    ipc::Client::Lease lease_;
    std::string id_, reason_{};
    loop::Deadline until_{};  // of writes: looked up once for many records
    unsigned records_ = 0;
    bool failed_ = false;
};
}
