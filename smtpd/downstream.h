// Where a message goes while it comes in: first its envelope, recipient by recipient, then its content, line by line.
// Today that is the queue (to_queue.h). The answer at the end is what the client is told.
//
// When things fail: failed() holds from then on, what follows is dropped, and finish() returns the reason. Destroyed
// before finish(), it withdraws the message.
#pragma once
#include <string>
#include <string_view>
#include "base/error.h"

namespace smtpd {
struct Actions;
struct Recipient;

class Downstream {
public:
    virtual ~Downstream() = default;
    virtual std::string_view queue_id() const = 0;
    virtual void add(const Recipient& recipient) = 0;
    // Before the client's first byte: what access rules asked for, for the session's every message and for this one,
    // and our own Received: field, lines with LF between them.
    virtual void begin(const Actions& of_session, const Actions& of_message, std::string_view received) = 0;
    // A line of content, or with ends false a piece of one.
    virtual void line(std::string_view text, bool ends) = 0;
    virtual bool failed() const = 0;
    // After the last byte: what access rules asked for since begin(). The reply says that the message is safe, or why
    // it is not taken. size: what BDAT's reply says of it ("15 bytes "), or nothing.
    virtual Result<std::string> finish(const Actions& of_session, const Actions& of_message, std::string_view size) = 0;
};
}
