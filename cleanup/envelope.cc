// Message: the records before and behind the content.
#include <fmt/format.h>
#include "base/bytes.h"
#include "log/log.h"
#include "mail/dsn.h"
#include "message.h"
#include "virtual_aliases.h"

namespace cleanup {
using queue::RecordType;
namespace flags = ipc::cleanup_flags;
namespace attribute = queue::attribute;

namespace {
std::string too_long(std::string_view whose, std::string_view address) {
    return fmt::format("{} address of {} bytes: the limit is {}", whose, address.size(), queue::address_max);
}

// Attributes that are kept for logging, headers and decisions; the others only pass through.
bool kept(std::string_view name) {
    for (std::string_view known :
         {attribute::rewrite_context, attribute::log_client_name, attribute::log_client_address,
          attribute::log_message_origin, attribute::log_helo_name, attribute::log_protocol_name, attribute::encoding})
        if (name == known)
            return true;
    return false;
}

constexpr std::int64_t time_end = std::int64_t(1) << 40;  // as in queue files: what is later is no time

std::optional<std::int64_t> number(std::string_view text) { return bytes::to_int(bytes::trim(text)); }
}

void MessageWriter::attribute(std::string_view payload) {
    const auto [name, value] = bytes::cut(payload, '=');
    if (!value || name.empty())
        return trouble(bad_records);
    if (name == queue::attribute::notify_flags) {
        const auto bits = number(*value);
        if (!bits || *bits < 0 || *bits > 15)
            return trouble(bad_records);
        pending_notify_ = static_cast<int>(*bits);
        return;
    }
    if (name == queue::attribute::dsn_orig_rcpt) {
        pending_orcpt_ = *value;
        return;
    }
    if (name == queue::attribute::create_time)
        return;                // ours was written already
    if (name == "smtputf8") {  // sendmail -O smtputf8
        if (*value == "1")
            send_options_ |= mail::smtputf8::requested;
        return;
    }
    if (name == "requiretls") {  // sendmail -O requiretls
        if (*value == "1" && rules_.require_tls)
            send_options_ |= mail::send_option::require_tls;
        return;
    }
    if (++attribute_count_ > rules_.attribute_limit) {
        maillog::warning("{}: message rejected: attribute count exceeds limit", id().text());
        return trouble(bad_records);
    }
    if (kept(name))
        attributes_.insert_or_assign(std::string(name), std::string(*value));
    if (name == queue::attribute::encoding)
        encoding_ = *value;
    if (recipients_begun_)
        mixed_ = true;
    put(RecordType::attribute, payload);
}

void MessageWriter::envelope_record(RecordType type, std::string_view payload) {
    if (!bytes::is_one_line(payload))
        return envelope_record(type, bytes::one_line(std::string(payload)));
    if (!time_seen_ && type != RecordType::size) {
        // The arrival time comes first in the file: the client's, or now.
        time_seen_ = true;
        arrival_ = base::wall_now();
        if (type == RecordType::time) {
            const auto [seconds, microseconds] = bytes::cut(bytes::trim(payload), ' ');
            const auto s = number(seconds), us = number(microseconds.value_or("0"));
            if (s && *s > 0 && *s < time_end && us && *us >= 0 && *us < 1000000)
                arrival_ = {*s, static_cast<std::int32_t>(*us)};
        }
        put(RecordType::time, std::to_string(arrival_.seconds) + " " + std::to_string(arrival_.microseconds));
        put(RecordType::attribute,
            queue::attribute_payload(attribute::create_time, std::to_string(file_.created().seconds)));
    }
    switch (type) {
    case RecordType::size:  // of a message that comes back: what its sender asked for still holds
        if (auto old = queue::SizeRecord::parse(payload))
            send_options_ |= static_cast<std::uint32_t>(old->send_options) &
                             (mail::smtputf8::requested | mail::send_option::require_tls);
        return;
    case RecordType::time:
    case RecordType::create_time: return;
    case RecordType::attribute: return attribute(payload);
    case RecordType::full_name: full_name_ = payload.substr(0, queue::address_max); return put(type, payload);
    case RecordType::sender: return sender_record(payload);
    case RecordType::original:
        pending_original_ = payload.substr(0, queue::address_max);
        have_original_ = true;
        return;
    case RecordType::dsn_original: pending_orcpt_ = payload.substr(0, queue::address_max); return;
    case RecordType::dsn_notify: {
        const auto bits = number(payload);
        pending_notify_ = bits && *bits >= 0 && *bits <= 15 ? static_cast<int>(*bits) : 0;
        return;
    }
    case RecordType::recipient: return recipient_record(payload);
    case RecordType::filter: filter_ = payload.substr(0, 1000); return;
    case RecordType::redirect: redirect_ = payload.substr(0, queue::address_max); return;
    case RecordType::flags: {
        const auto bits = number(payload);
        if (bits && (*bits & flags::hold))
            hold_ = true;
        if (bits && (*bits & flags::discard))
            discard_ = true;
        return;
    }
    case RecordType::verp:
        if (payload.size() != 2)
            return trouble(bad_records);
        return put(type, payload);
    case RecordType::inspector:
    case RecordType::dsn_envelope_id:
    case RecordType::dsn_return:
    case RecordType::warn_time: return;  // set by us, or never used any more
    case RecordType::done:
    case RecordType::canceled:
    case RecordType::killed:
    case RecordType::priority:
    case RecordType::errors_to:
    case RecordType::return_receipt:
    case RecordType::padding:
    case RecordType::pointer: return;  // an old queue file that postsuper -r sent through again
    default: return;                   // take() lets no other in
    }
}

void MessageWriter::sender_record(std::string_view address) {
    if (have_sender_)
        return trouble(bad_records);
    if (address.size() > queue::address_max)
        return trouble(refused, "5.1.7", too_long("sender", address));
    const auto rewritten = rewriting_.sender(std::string(address), flags_ & flags::map_addresses);
    if (!rewritten) {
        maillog::warning("{}: {} -- message not accepted, try again later", id().text(), rewritten.error().reason);
        return trouble(not_written);
    }
    sender_ = *rewritten;
    // The name that the null sender has in headers, come back: nobody reads bounces there.
    if (bytes::istarts_with(sender_, "MAILER-DAEMON@")) {
        const auto own = rewriting_.sender("MAILER-DAEMON", false);
        if (own && bytes::iequals(*own, sender_))
            sender_.clear();
    }
    have_sender_ = true;
    if ((flags_ & flags::autodetect_smtputf8) && !bytes::is_ascii(sender_))
        send_options_ |= mail::smtputf8::requested;
    if (!bytes::is_ascii(sender_) && rules_.smtputf8)
        send_options_ |= mail::smtputf8::sender;
    put(RecordType::sender, sender_);
    if ((flags_ & flags::bcc) && !sender_.empty() && !rules_.sender_bcc.empty()) {
        const auto match = table::find_address(rules_.sender_bcc, sender_, rewrite_lookup(rules_));
        if (!match) {
            maillog::warning("{}: {} map lookup problem for {} -- message not accepted, try again later", id().text(),
                             rules_.sender_bcc.title(), sender_);
            return trouble(not_written);
        }
        if (*match)
            sender_bcc_ = with_user_of((*match)->value, sender_);
    }
}

void MessageWriter::before_recipients() {
    if (recipients_begun_)
        return;
    recipients_begun_ = true;
    if (!have_sender_)
        return trouble(bad_records);
    if (rules_.delay_warning.count() > 0 && !sender_.empty())
        put(RecordType::warn_time, queue::padded_number(arrival_.seconds + rules_.delay_warning.count()));
}

void MessageWriter::recipient_record(std::string_view address) {
    if (segment_ == queue::Segment::envelope)
        before_recipients();
    const std::string original = have_original_ ? pending_original_ : std::string(address);
    std::string orcpt = std::move(pending_orcpt_);
    const int notify = pending_notify_;
    pending_original_.clear();
    pending_orcpt_.clear();
    have_original_ = false;
    pending_notify_ = 0;
    if (stopped())
        return;
    if (address.size() > queue::address_max)
        return trouble(refused, "5.1.3", too_long("recipient", address));

    const auto rewritten = rewriting_.recipient(std::string(address), flags_ & flags::map_addresses);
    if (!rewritten) {
        maillog::warning("{}: {} -- message not accepted, try again later", id().text(), rewritten.error().reason);
        return trouble(not_written);
    }
    if (orcpt.empty() && !rewritten->completed.empty()) {
        const std::string external = mail::to_external(rewritten->completed);
        orcpt = (bytes::is_ascii(external) ? "rfc822;" : "utf-8;") + external;
    }
    last_recipient_ = rewritten->mapped;
    if ((flags_ & flags::autodetect_smtputf8) && !bytes::is_ascii(rewritten->mapped))
        send_options_ |= mail::smtputf8::requested;
    expand_and_out(original, orcpt, notify, rewritten->mapped);
    if ((flags_ & flags::bcc) && !rules_.recipient_bcc.empty() && !stopped()) {
        const auto match = table::find_address(rules_.recipient_bcc, rewritten->mapped, rewrite_lookup(rules_));
        if (!match) {
            maillog::warning("{}: {} map lookup problem for {} -- message not accepted, try again later", id().text(),
                             rules_.recipient_bcc.title(), rewritten->mapped);
            return trouble(not_written);
        }
        if (*match)
            out_bcc(with_user_of((*match)->value, rewritten->mapped));
    }
}

void MessageWriter::expand_and_out(const std::string& original, const std::string& orcpt, int notify,
                                   const std::string& address) {
    if (!(flags_ & flags::map_addresses))
        return out_recipient(original, orcpt, notify, address);
    const auto expanded = expand_virtual_aliases(rules_, rewriting_, id().text(), address);
    if (!expanded) {
        if (expanded.error().status == EnhancedStatus{4, 6, 0})
            return trouble(refused, expanded.error().status.text(), expanded.error().reason);
        return trouble(not_written);
    }
    // RFC 3461 section 5.2.7.1: a list answers "expanded" once, its members not "delivered" each.
    if (expanded->size() > 1 && (notify & mail::notify::success) && report_expanded(original, orcpt, notify, address))
        notify = notify == mail::notify::success ? mail::notify::never : notify & ~mail::notify::success;
    for (const std::string& member : *expanded)
        out_recipient(original, orcpt, notify, member);
}

void MessageWriter::out_recipient(const std::string& original, const std::string& orcpt, int notify,
                                  const std::string& address) {
    if (stopped())
        return;
    // Upper and lower case are one mailbox, and without original recipients nothing tells two of one address apart.
    std::string key = mail::fold_case(
        rules_.original_recipient ? orcpt + ' ' + std::to_string(notify) + ' ' + original + ' ' + address : address);
    if (duplicates_.contains(key))
        return;
    if (rules_.duplicate_limit == 0 || duplicates_.size() < rules_.duplicate_limit)
        duplicates_.insert(std::move(key));
    if (notify)
        put(RecordType::attribute, queue::attribute_payload(attribute::notify_flags, std::to_string(notify)));
    if (!orcpt.empty())
        put(RecordType::attribute, queue::attribute_payload(attribute::dsn_orig_rcpt, orcpt));
    put(RecordType::original, rules_.original_recipient ? original : std::string());
    put(RecordType::recipient, address);
    notify_bits_ |= notify;
    ++recipients_;
}

bool MessageWriter::report_expanded(const std::string& original, const std::string& orcpt, int notify,
                                    const std::string& address) {
    if (!services_.expanded)
        return true;
    ipc::ReportAppend report;
    report.queue_id = id().text();
    report.address = address;
    report.original = original;
    report.orcpt = orcpt;
    report.notify = notify;
    report.status = "2.0.0";
    report.action = "expanded";
    report.reason = "alias expanded";
    if (!services_.expanded(report))
        return false;
    traced_ = true;
    notify_bits_ |= mail::notify::success;  // qmgr sends the report when the message leaves the queue
    return true;
}

void MessageWriter::out_bcc(const std::string& bcc) {
    const auto list = rewriting_.completed_list(bcc);
    if (!list) {
        maillog::warning("{}: {} -- message not accepted, try again later", id().text(), list.error().reason);
        return trouble(not_written);
    }
    for (const std::string& address : *list) {
        if (flags_ & flags::map_addresses)
            expand_and_out(address, "", mail::notify::never, address);
        else
            out_recipient(address, "", mail::notify::never, address);
    }
}

void MessageWriter::end_envelope() {
    if (stopped())
        return;
    if (!time_seen_)
        return trouble(bad_records);
    if (!have_sender_)
        return trouble(bad_records);
    before_recipients();
    const auto context = attributes_.find(attribute::rewrite_context);
    const std::string& asked = context == attributes_.end() ? "local" : context->second;
    // "none": a message of ours that is signed. What nobody knows is no way past the rewriting.
    if (asked == "remote")
        rewrite_context_ = rules_.remote_domain.empty() ? "" : "remote";
    else
        rewrite_context_ = asked == "none" ? "" : "local";
    mail::MimeOptions options = rules_.mime;
    options.nested_headers = options.parse;
    parser_.emplace(options, static_cast<mail::MimeEvents&>(*this));
    put(RecordType::message, "");
    data_offset_ = file_.offset();
}

void MessageWriter::end_extracted() {
    if (flags_ & flags::bcc) {
        if (!rules_.always_bcc.empty())
            out_bcc(rules_.always_bcc);
        if (!sender_bcc_.empty())
            out_bcc(sender_bcc_);
    }
    for (const std::string& address : bcc_)
        out_bcc(address);
    if (stopped())
        return;
    if (recipients_ == 0) {
        trouble(no_recipients);
        return;
    }
    if (!filter_of_checks_.empty())
        filter_ = filter_of_checks_;
    if (!redirect_of_checks_.empty())
        redirect_ = redirect_of_checks_;
    if ((troubles_ & bounceable) && (flags_ & flags::bounce)) {
        // The message goes to error(8), which reports it to its sender as it does all undeliverable mail.
        const ipc::CleanupReply why = verdict();
        std::string_view text = why.reason;
        if (text.starts_with("Error: "))
            text.remove_prefix(7);
        filter_ = "error:" + why.status + " " + std::string(text);
        redirect_.clear();
    }
    if (!filter_.empty())
        put(RecordType::filter, filter_);
    if (!redirect_.empty())
        put(RecordType::redirect, redirect_);
}
}
