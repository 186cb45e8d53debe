// One delivery request at work: the message's queue file, its recipients, and what became of each. For every delivery
// agent.
//
//     void deliver(delivery::Job& job) {
//         for (delivery::JobRecipient& r : job.recipients()) job.delivered(r, {.relay =
//         "mail.example.org[192.0.2.1]:25", .text = "250 2.0.0 Ok"});
//     }
//
// Each recipient gets exactly one of delivered(), deferred(), bounced(); an agent that reports several events for one
// recipient (local, when an alias has many members) calls the report_… functions for the events and settle() at the
// end. An event writes the status log line, tells the services bounce, defer or trace, and settling marks the record in
// the queue file. Call delivered() only when what was delivered is on stable storage, or the peer has said so.
//
// When things fail: where the service bounce cannot be told of a failure, the recipient is deferred instead; where
// defer cannot be told, that is a warning and the recipient stays in the queue all the same; where trace cannot be told
// of a delivery, that is a warning and the delivery counts (deferring would deliver twice). A mark that cannot be
// written is a warning (the recipient may get the message again). Nothing here ends the process. In fibers the calls
// wait; a Job belongs to one fiber.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "base/time.h"
#include "ipc/delivery.h"
#include "queue/file.h"

namespace delivery {
class Agent;

enum class Disposition : std::uint8_t { none, done, deferred };  // done: delivered or bounced, it leaves the queue

// Who a log line or a report speaks of. local makes others than the request's: members of an alias.
struct Subject {
    std::int64_t offset = 0;
    std::string address;   // to=
    std::string original;  // orig_to=, left out where it is empty or the same
    std::string orcpt;
    int notify = 0;
    bool own_sender = false;  // sender below gets the non-delivery report at once, not the message's sender
    std::string sender{};     // (local: members of an alias that has an owner- alias)
};
struct JobRecipient : Subject {
    Disposition disposition = Disposition::none;
};

// One event as the log and the reports tell it.
struct Event {
    std::string_view relay = "none";  // "local", "mx.example.org[192.0.2.1]:25", "none"
    int connection_use = 0;           // conn_use=: shown when above 1
    base::WallTime connected{};  // when the peer was ready for MAIL: ends the third of delays=; not set: no connection
    std::string_view tls{};      // tls=: shown when not empty (smtp_log_tls_feature_status is the caller's)
    EnhancedStatus status{2, 0, 0};  // dsn=; its class is made to agree with the function called
    std::string text{};              // within (…)
    std::string_view action{};       // for a report of success: "relayed", "expanded"; "delivered" where empty
    std::string_view diagnostic_type{},
        diagnostic_text{};                    // "smtp" and the reply; "x-unix" and a command's output; or empty
    std::string_view mta_type{}, mta_name{};  // "dns" and the peer's name; or empty
};

class Job {
public:
    const ipc::DeliveryRequest& request() const { return request_; }
    const queue::QueueFile& file() const { return file_; }
    // The message's text, from its first line; any number of readers one after the other.
    queue::ContentReader content() const;
    std::span<JobRecipient> recipients() { return recipients_; }
    // Nothing is delivered: delivered() means "would be delivered" ("delivers to mailbox").
    bool probe() const { return (request_.flags & ipc::delivery_flags::probe) != 0; }
    const std::string& id() const { return request_.queue_id; }
    const Agent& agent() const { return agent_; }

    // Report and settle. bounced() with a status of class 4 defers; deferred() takes class 5 as its class 4
    // counterpart.
    void delivered(JobRecipient& recipient, const Event& event) {
        settle(recipient, report_delivered(recipient, event));
    }
    void deferred(JobRecipient& recipient, const Event& event) { settle(recipient, report_deferred(recipient, event)); }
    void bounced(JobRecipient& recipient, const Event& event) { settle(recipient, report_bounced(recipient, event)); }
    // deferred() or bounced(), as event.status says.
    void failed(JobRecipient& recipient, const Event& event) { settle(recipient, report_failed(recipient, event)); }
    // For all recipients without a disposition.
    void fail_rest(const Event& event);

    // The event alone; what is returned is what it came to (a bounce may be deferred).
    Disposition report_delivered(const Subject& subject, const Event& event);
    Disposition report_deferred(const Subject& subject, const Event& event);
    Disposition report_bounced(const Subject& subject, const Event& event);
    Disposition report_failed(const Subject& subject, const Event& event);
    // Ends a recipient: marks its record when done. A second call for one recipient is logged as a fault and changes
    // nothing.
    void settle(JobRecipient& recipient, Disposition disposition);

    // The destination as a whole does not take mail (no connection, refused greeting): feedback for qmgr's scheduler.
    void site_failed(EnhancedStatus status, std::string_view reason);

private:
    friend class Agent;
    Job(const Agent& agent, ipc::DeliveryRequest request, queue::QueueFile file, base::WallTime received);
    ipc::DeliveryReply finish();
    Disposition defer(const Subject& subject, const Event& event, std::string_view outcome);
    void note_for_flush(const std::string& address) const;
    Disposition report_probe(const Subject& subject, const Event& event);
    bool trace(const Subject& subject, const Event& event, std::string_view action) const;
    bool bounce(const Subject& subject, const Event& event) const;
    void log(const Subject& subject, const Event& event, std::string_view outcome) const;

    const Agent& agent_;
    ipc::DeliveryRequest request_;
    queue::QueueFile file_;
    std::vector<JobRecipient> recipients_{};
    base::WallTime received_;  // ends the second of delays=
    ipc::DeliveryReply reply_{};
};
}
