// Where a message goes while it comes in: first its envelope, recipient by recipient, then its content, line by line.
// Today that is the queue (to_queue.h). The answer at the end is what the client is told.
//
// When things fail: failed() holds from then on, and what follows is dropped; what it was is logged at the end at the
// latest. Destroyed before finish(), it withdraws the message.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace smtpd {
struct Actions;
struct EnvelopeRecipient;

// The reply where the message cannot be written.
inline constexpr std::string_view not_written = "451 4.3.0 Error: queue file write error";

class Downstream {
public:
    using Refusal = std::optional<std::string>;  // the reply, where something is not taken
    virtual ~Downstream() = default;
    virtual std::string_view queue_id() const = 0;
    virtual Refusal add(const EnvelopeRecipient& recipient) = 0;
    // Before the client's first byte: what access rules asked for, for the session's every message and for this one,
    // and our own Received: field, lines with LF between them.
    virtual Refusal begin(const Actions& of_session, const Actions& of_message, std::string_view received) = 0;
    // A line of content, or with ends false a piece of one.
    virtual void line(std::string_view text, bool ends) = 0;
    virtual bool failed() const = 0;
    // After the last byte: what access rules asked for since begin(). The reply says that the message is safe, or why
    // it is not taken. size: what BDAT's reply says of it ("15 bytes "), or nothing.
    virtual std::string finish(const Actions& of_session, const Actions& of_message, std::string_view size) = 0;
};
}
