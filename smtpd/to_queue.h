// Into the queue: a message's records go to cleanup or, stand-alone, to postdrop.
//
// When things fail: see downstream.h.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include "client.h"
#include "downstream.h"
#include "ipc/cleanup.h"
#include "ipc/client.h"
#include "queue/record.h"

namespace smtpd {
struct Envelope;

class ToQueue : public Downstream {
public:
    // To cleanup: a kept connection where there is one; waits for the queue id.
    static Result<std::unique_ptr<ToQueue>> open(ipc::Client& cleanup, int flags);
    // What comes before recipients. forwarded: what XFORWARD said, or null; local: the client's addresses may be
    // completed (local_header_rewrite_clients). filter: content_filter.
    void envelope(const Envelope& envelope, const Client& client, const Forwarded* forwarded, bool local,
                  const std::string& filter);
    Refusal add(const EnvelopeRecipient& recipient) override;
    Refusal begin(const Actions& of_session, const Actions& of_message, std::string_view received) override;
    void line(std::string_view text, bool ends) override;
    std::string finish(const Actions& of_session, const Actions& of_message, std::string_view size) override;

protected:
    virtual void put(queue::RecordType type, std::string_view payload = {}) = 0;
    virtual Result<ipc::CleanupReply> end() = 0;  // after the last record but END
    void attribute(std::string_view name, std::string_view value);

private:
    Refusal so_far() const;
    void attributes(const Envelope& envelope, const Client& client, const Forwarded* forwarded);
    void actions(const Actions& of_session, const Actions& of_message, const std::string& filter);
    std::string filter_{};  // where the message goes when no rule says
};
}
