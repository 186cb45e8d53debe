#include "mail/dsn.h"
#include "message.h"
#include <cerrno>
#include "log/log.h"
#include "mail/address.h"
#include "mail/reply.h"

namespace cleanup {
using queue::RecordType;
using queue::Segment;
namespace flags = ipc::cleanup_flags;

MessageWriter::MessageWriter(const Rules& rules, Services services, int flags_asked, queue::NewQueueFile file)
    : rules_(rules),
      services_(services),
      rewriting_(rules, services.rewrite),
      flags_(flags_asked),
      file_(std::move(file)) {
    checks_on_ = flags_ & flags::filter;
    hold_ = flags_ & flags::hold;
    discard_ = flags_ & flags::discard;
    if (flags_ & flags::smtputf8)
        send_options_ |= mail::smtputf8::requested;
    if (flags_ & flags::require_tls)
        send_options_ |= mail::send_option::require_tls;
}

void MessageWriter::take(RecordType type, std::string_view payload) {
    if (ended_)
        return;
    if (type == RecordType::end) {
        if (segment_ != Segment::extracted)
            trouble(bad_records);
        else if (!stopped())
            end_extracted();
        ended_ = true;
        return;
    }
    if (!queue::takes(queue::Door::cleanup, segment_, type)) {
        if (!stopped())
            maillog::warning("{}: unexpected record type {}", id().text(), static_cast<int>(type));
        return trouble(bad_records);
    }
    if (type == RecordType::message) {
        end_envelope();
        segment_ = Segment::content;
    } else if (type == RecordType::extracted) {
        if (!stopped())
            end_content();
        segment_ = Segment::extracted;
    } else if (stopped()) {
        return;
    } else if (segment_ == Segment::content) {
        content_record(payload, type == RecordType::line);
    } else {
        envelope_record(type, payload);
    }
}

void MessageWriter::put(RecordType type, std::string_view payload) {
    if (troubles_ & not_written)
        return;
    const auto done = file_.put(type, payload);
    if (done)
        return;
    maillog::warning("{}: write queue file: {}", id().text(), done.error().reason);
    trouble(done.error().sys_errno == EFBIG ? too_large : not_written);
    if (done.error().sys_errno == EFBIG)
        troubles_ |= not_written;
}

void MessageWriter::trouble(Trouble what, std::string_view status, std::string_view reason) {
    if (!(troubles_ & what) && reason_.empty()) {
        status_ = status;
        reason_ = reason;
    }
    troubles_ |= what;
}

std::string MessageWriter::quoted(const std::string& internal) const {
    return rules_.external_log_form ? mail::to_external(internal) : internal;
}

ipc::CleanupReply MessageWriter::verdict() const {
    const auto say = [](int code, std::string_view status, std::string_view text) {
        return ipc::CleanupReply{false, code, std::string(status), std::string(text)};
    };
    if (troubles_ == 0 || discard_)
        return {true, 250, "2.0.0", ""};
    if ((troubles_ & (refused | content)) && !reason_.empty())
        return say(status_.starts_with('4') ? 451 : 550, status_, reason_);
    if (troubles_ & refused)
        return say(451, "4.7.1", "Error: service unavailable");
    if (troubles_ & bad_records)
        return say(451, "4.3.0", "Error: internal error 1");
    if (troubles_ & no_recipients)
        return say(550, "5.1.0", "Error: no recipients specified");
    if (troubles_ & too_many_hops)
        return say(554, "5.4.0", "Error: too many hops");
    if (troubles_ & too_large)
        return say(552, "5.3.4", "Error: message file too big");
    if (troubles_ & content)
        return say(550, "5.7.1", "Error: message content rejected");
    return say(451, "4.3.0", "Error: queue file write error");
}

Result<void> MessageWriter::commit() {
    if (hold_)
        TRY(file_.move(queue::hold));
    queue::SizeRecord size;
    size.message_size = size.content_length = data_size_;
    size.data_offset = data_offset_;
    size.recipients = recipients_;
    size.qmgr_flags = queue::SizeRecord::notify(notify_bits_) | (mixed_ ? queue::SizeRecord::mixed : 0);
    // RFC 8689, section 4.1: REQUIRETLS goes before TLS-Required.
    if (send_options_ & mail::send_option::require_tls)
        send_options_ &= ~mail::send_option::tls_optional;
    size.send_options = send_options_;
    return file_.commit(size);
}

void MessageWriter::cancel(std::string_view how) {
    if (rules_.early_end_ids)
        maillog::info("{}: removed ({})", id().text(), how);
    file_.cancel();
    if (traced_ && services_.forget)
        services_.forget(id().text());
}

void MessageWriter::withdraw() {
    ended_ = true;
    cancel("canceled");
}

ipc::CleanupReply MessageWriter::finish() {
    const ipc::CleanupReply reply = verdict();
    if (discard_) {
        cancel("discarded");
        return reply;
    }
    if (!reply.ok && !((flags_ & flags::bounce) && !(troubles_ & ~bounceable))) {
        cancel("canceled");
        return reply;
    }
    if (const auto done = commit(); !done) {
        maillog::warning("{}: write queue file: {}", id().text(), done.error().reason);
        cancel("canceled");
        return {false, 451, "4.3.0", "Error: queue file write error"};
    }
    queued_ = !hold_;
    return {true, 250, "2.0.0", ""};
}
}
