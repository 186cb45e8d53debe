// What showq says at public/showq, in the form that Postfix's has and that monitoring tools read: first the list
// "protocol=mail_queue_list_protocol", then one list a message, then an empty list.
//
//     queue_name queue_id time size forced_expire sender { recipient [reason] }…
//
// Nobody asks anything: the server begins, as Postfix's does. A client whose end of the connection has the name
// details_name (in Linux's abstract name space, followed by its process id) gets original_recipient before each
// recipient as well; all others get what Postfix's postqueue of any version reads. Bytes sent as a question would make
// a server that does not read them reset the connection.
//
// When things fail: append() cannot; read_message() returns Errors of the stream, and of lists that make no sense.
#pragma once
#include <optional>
#include <string>
#include "base/error.h"
#include "base/fd.h"
#include "net/stream.h"

namespace ipc {
struct QueueListRecipient {
    std::string address, original, reason;
};
struct QueueListMessage {
    std::string queue_name, queue_id;
    std::int64_t time = 0, size = 0;
    bool forced_expire = false;
    std::string sender;
    std::vector<QueueListRecipient> recipients{};
};
namespace queue_list {
std::string greeting();
// Connects to the socket at path, under the name that asks for details where the system has such names.
Result<UniqueFd> connect(const std::string& path);
bool wants_details(int client);  // server: the client's end has that name
void append(std::string& out, const QueueListMessage& message, bool details);
std::string end();
Result<void> read_greeting(net::Stream& from, loop::Deadline deadline);
// The next message; absent at the end of the list.
Result<std::optional<QueueListMessage>> read_message(net::Stream& from, loop::Deadline deadline);
}
}
