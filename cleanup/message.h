// One message on its way into the queue: takes the client's records one after another, writes the queue file, and says
// in the end what became of it. The only class that knows the whole order: envelope → content → extracted → end
// (DESIGN.md, section 3).
//
// The file grows as records come; what is kept in memory is one header field, the counters and the filters, whatever
// the message's size and its number of recipients (the duplicate filter is bounded by duplicate_filter_limit).
//
// When things fail: the first trouble of each kind is noted, the rest of the message is taken and thrown away, and
// finish() tells the client. With the flag `bounce` a message whose content is at fault is queued for the error(8)
// agent instead, so that its sender gets a report; trouble of our own never bounces.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>
#include "checks.h"
#include "ipc/bounce.h"
#include "ipc/cleanup.h"
#include "mail/mime.h"
#include "queue/doors.h"
#include "queue/new_file.h"
#include "rewriting.h"
#include "rules.h"

namespace cleanup {
// The services that a message may need; tests put their own in place.
struct Services {
    Rewrite rewrite = ask_trivial_rewrite;
    // Tells trace(8) that a recipient with NOTIFY=SUCCESS became several ("expanded"). False: it could not be told.
    bool (*expanded)(const ipc::ReportAppend&) = nullptr;
    void (*forget)(const std::string& queue_id) = nullptr;  // the message did not come to be after all
};

class MessageWriter : private mail::MimeEvents {
public:
    MessageWriter(const Rules& rules, Services services, int flags, queue::NewQueueFile file);
    ~MessageWriter() override = default;

    const mail::QueueId& id() const { return file_.id(); }
    // The next record; END is the last one. Records after it are a mistake of the caller.
    void take(queue::RecordType type, std::string_view payload);
    bool ended() const { return ended_; }
    // The client went away or broke the rules: nothing is kept.
    void withdraw();
    // After END: completes the file, or removes it. Logs the outcome. `queued` tells whether the queue manager has
    // something new.
    ipc::CleanupReply finish();
    bool queued() const { return queued_; }

private:
    // What went wrong, worst first: the first that is set is what the client is told.
    enum Trouble : unsigned {
        refused = 1,
        bad_records = 2,
        no_recipients = 4,
        too_many_hops = 8,
        too_large = 16,
        content = 32,
        not_written = 64
    };
    static constexpr unsigned bounceable = too_many_hops | too_large | content;

    // message.cc
    void put(queue::RecordType type, std::string_view payload);
    void trouble(Trouble what, std::string_view status = {}, std::string_view reason = {});
    bool stopped() const {
        return (troubles_ & ~(flags_ & ipc::cleanup_flags::bounce ? bounceable : 0u)) != 0 || discard_;
    }
    ipc::CleanupReply verdict() const;
    Result<void> commit();
    void cancel(std::string_view how);  // "canceled", "discarded": for the log
    std::string quoted(const std::string& internal) const;

    // envelope.cc
    void envelope_record(queue::RecordType type, std::string_view payload);
    void attribute(std::string_view payload);
    void sender_record(std::string_view address);
    void recipient_record(std::string_view address);
    void before_recipients();
    void end_envelope();
    void out_recipient(const std::string& original, const std::string& orcpt, int notify, const std::string& address);
    void expand_and_out(const std::string& original, const std::string& orcpt, int notify, const std::string& address);
    void out_bcc(const std::string& address);
    bool report_expanded(const std::string& original, const std::string& orcpt, int notify, const std::string& address);
    void end_extracted();

    // content.cc: MIME events and what becomes of header fields and lines
    void content_record(std::string_view text, bool whole);
    void header(mail::HeaderClass klass, const mail::HeaderInfo& info, std::string_view text) override;
    void header_end() override;
    void mime_problem(std::uint32_t which, std::string_view line) override;
    void body(std::string_view text, bool whole) override;
    void body_begin() override { body_checked_ = 0; }
    void primary_header(const mail::HeaderInfo& info, std::string_view text);
    void rewrite_header(const mail::HeaderInfo& info, std::string_view text);
    void look_for_tls_demand(const mail::HeaderField& field);
    void add_missing_headers();
    void add_missing_from();
    void add_missing_family(bool resent);
    void put_header(std::string_view text);
    void log_message_id(std::string_view name, std::string_view value) const;
    void mime_trouble();
    // The field or line after the checks; absent: it is dropped.
    std::optional<std::string_view> checked(const table::Maps& maps, std::string_view context, std::string_view text,
                                            std::string& buffer);
    std::string origin() const;
    void log_action(std::string_view action, std::string_view context, std::string_view text,
                    std::string_view why) const;
    void end_content();
    bool seen(mail::HeaderId id) const { return headers_seen_ & (std::uint64_t(1) << static_cast<unsigned>(id)); }

    const Rules& rules_;
    Services services_;
    Rewriting rewriting_;
    int flags_;
    queue::NewQueueFile file_;
    queue::Segment segment_ = queue::Segment::envelope;
    bool ended_ = false;
    unsigned troubles_ = 0;
    std::string status_, reason_;  // for `content` and `refused`
    bool discard_ = false, hold_ = false, queued_ = false, traced_ = false;

    // Envelope
    base::WallTime arrival_{};
    std::map<std::string, std::string, std::less<>> attributes_;  // those that logging and headers look at
    std::size_t attribute_count_ = 0;
    std::string sender_, last_recipient_, full_name_, sender_bcc_, filter_, redirect_;
    std::string filter_of_checks_, redirect_of_checks_;  // they go before what the client says, also behind the content
    bool have_sender_ = false, recipients_begun_ = false, mixed_ = false, time_seen_ = false, autodetect_done_ = false;
    std::string pending_original_, pending_orcpt_;
    bool have_original_ = false;
    int pending_notify_ = 0;
    std::int64_t recipients_ = 0;
    int notify_bits_ = 0;
    std::uint32_t send_options_ = 0;  // mail/dsn.h
    std::unordered_set<std::string> duplicates_;
    std::vector<std::string> bcc_;  // of header and body checks; bounded

    // Content
    std::optional<mail::MimeParser> parser_;
    std::string rewrite_context_;     // "local", "remote"; "": headers stay as they are
    std::uint64_t headers_seen_ = 0;  // bits by HeaderId
    std::int64_t data_offset_ = 0, data_size_ = 0;
    std::size_t hops_ = 0, body_checked_ = 0;
    std::vector<std::pair<std::uint32_t, std::string>> mime_problems_;  // that are to be told, with a line of each
    bool checks_on_ = false, resent_ = false, visible_recipient_ = false, require_tls_header_seen_ = false;
    std::string encoding_, buffer_;
};
}
