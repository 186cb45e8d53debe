// Reading envelopes and recipients: see queue/file.h.
#include <algorithm>
#include "base/bytes.h"
#include "queue/file.h"

namespace queue {
static constexpr std::size_t attributes_max = 500;  // that are kept; more is somebody's joke
static constexpr std::int64_t time_end =
    std::int64_t(1) << 40;  // in 34,000 years: later times are damage, and sums with them could overflow

std::string_view Envelope::attribute(std::string_view name) const {
    auto at = std::find_if(attributes.rbegin(), attributes.rend(), [&](const auto& a) { return a.first == name; });
    return at == attributes.rend() ? std::string_view() : std::string_view(at->second);
}

static int small_number(std::string_view text) { return static_cast<int>(bytes::to_int(text).value_or(0) & 0xffff); }

// "seconds" or "seconds microseconds".
static Result<base::WallTime> parse_time(std::string_view text) {
    auto words = bytes::split(text, " ");
    auto seconds = words.empty() ? std::nullopt : bytes::to_int(words[0]);
    if (!seconds || *seconds < 0 || *seconds >= time_end)
        return damage("bad arrival time \"" + bytes::printable(text.substr(0, 40)) + '"');
    auto microseconds = words.size() > 1 ? bytes::to_int(words[1]) : std::nullopt;
    return base::WallTime{*seconds, static_cast<std::int32_t>(microseconds.value_or(0) % 1000000)};
}

// Attributes that belong to the next recipient. Whether it was one.
static bool take_recipient_field(const RecordReader::Item& item, Recipient& recipient) {
    switch (item.type) {
    case RecordType::original: recipient.original = item.line(); return true;
    case RecordType::dsn_original: recipient.dsn_original = item.line(); return true;
    case RecordType::dsn_notify: recipient.dsn_notify = small_number(item.payload); return true;
    case RecordType::attribute: break;
    default: return false;
    }
    auto [name, value] = bytes::cut(item.payload, '=');
    if (!value)
        return false;
    if (name == attribute::dsn_orig_rcpt) {
        recipient.dsn_original = bytes::one_line(std::string(*value));
        return true;
    }
    if (name == attribute::notify_flags) {
        recipient.dsn_notify = small_number(*value);
        return true;
    }
    return false;
}

static Result<void> take_attribute(std::string_view payload, Envelope& out) {
    if (!bytes::is_one_line(payload))
        return take_attribute(bytes::one_line(std::string(payload)), out);
    auto [name, value] = bytes::cut(payload, '=');
    if (!value)
        return damage("attribute without '=': " + bytes::printable(payload.substr(0, 60)));
    if (name == attribute::create_time)
        out.create_time = bytes::to_int(*value).value_or(0);
    else if (name == attribute::envelope_id)
        out.dsn_envelope_id = *value;
    else if (name == attribute::ret_flags)
        out.dsn_return = small_number(*value);
    else if (name == attribute::trace_flags)
        out.trace_flags = small_number(*value);
    else if (name == attribute::encoding)
        out.encoding = *value;
    else if (out.attributes.size() < attributes_max)
        out.attributes.emplace_back(name, *value);
    return {};
}

static Result<void> take(const RecordReader::Item& item, Envelope& out) {
    switch (item.type) {
    case RecordType::size: break;  // the first was read; another is passed over, as Postfix does
    case RecordType::time:
        if (out.arrival.seconds == 0) {
            TRY_ASSIGN(out.arrival, parse_time(item.payload));
        }
        break;
    case RecordType::create_time: out.create_time = bytes::to_int(item.payload).value_or(0); break;
    case RecordType::full_name: out.full_name = item.line(); break;
    case RecordType::inspector: out.inspector = item.line(); break;
    case RecordType::filter: out.filter = item.line(); break;
    case RecordType::sender:
        if (!out.has_sender) {
            out.sender = item.line();
            out.has_sender = true;
        }
        break;
    case RecordType::dsn_envelope_id: out.dsn_envelope_id = item.line(); break;
    case RecordType::dsn_return: out.dsn_return = small_number(item.payload); break;
    case RecordType::attribute: return take_attribute(item.payload, out);
    case RecordType::warn_time:
        out.warn_time = bytes::to_int(bytes::trim(item.payload)).value_or(0);
        out.warn_at = item.payload.size() == pointer_payload ? item.offset : 0;
        break;
    case RecordType::verp:
        if (!out.has_verp) {
            out.verp = item.line();
            out.has_verp = true;
        }
        break;
    case RecordType::redirect: out.redirect = item.line(); break;
    default: break;  // full compatibility: what later versions add is passed over
    }
    return {};
}

static bool is_recipient(RecordType type) {
    return type == RecordType::recipient || type == RecordType::done || type == RecordType::canceled;
}

// One of the two segments: until M, or until E. pending: what the records said of the next recipient.
static Result<void> read_segment(RecordReader& reader, RecordType until, Envelope& out, FirstRecipients& first,
                                 Recipient& pending) {
    for (;;) {
        TRY_ASSIGN(auto item, reader.next());
        if (!item)
            return damage("file ends in the middle");
        if (item->type == until)
            return {};
        const bool recipient = is_recipient(item->type), mine = recipient || take_recipient_field(*item, pending);
        if (mine && out.recipients_at == 0)
            out.recipients_at = item->offset;
        if (item->type == RecordType::recipient && first.list.size() < first.most) {
            pending.address = item->line();
            pending.offset = item->offset;
            first.list.push_back(std::move(pending));
            first.next_offset = reader.position();
        }
        if (recipient)
            pending = {};
        if (item->type == RecordType::recipient)
            ++out.remaining;
        else if (item->type == RecordType::done)
            ++out.finished;
        else if (item->type == RecordType::message || item->type == RecordType::extracted ||
                 item->type == RecordType::end)
            return damage("segments out of order");
        else if (!mine)
            TRY(take(*item, out));
    }
}

Result<Envelope> QueueFile::envelope(FirstRecipients* wanted) const {
    Envelope out;
    FirstRecipients none{0};
    Recipient pending;
    RecordReader reader(fd(), 0,
                        static_cast<std::size_t>(std::clamp<std::int64_t>(
                            bytes_ + 1, 1, 16384)));  // 1: it sees the end without another read
    TRY_ASSIGN(auto first, reader.next());
    if (!first || first->type != RecordType::size)
        return damage("file does not begin with a size record");
    auto size = SizeRecord::parse(first->payload);
    if (!size)
        return damage(size.error().reason);
    out.size = *size;
    if (out.size.data_offset <= 0 || out.size.data_offset > bytes_ ||
        out.size.message_size > bytes_ - out.size.data_offset)
        return damage("size record does not fit the file");
    TRY(read_segment(reader, RecordType::message, out, wanted ? *wanted : none, pending));
    reader.seek(out.size.data_offset + out.size.message_size);
    TRY_ASSIGN(auto mark, reader.next());
    if (!mark || mark->type != RecordType::extracted)
        return damage("the content does not end where the size record says");
    TRY(read_segment(reader, RecordType::end, out, wanted ? *wanted : none, pending));
    if (!out.has_sender)
        return damage("file has no sender record");
    if (out.arrival.seconds == 0)
        return damage("file has no arrival time");
    return out;
}

RecipientReader::RecipientReader(const QueueFile& file, const Envelope& envelope, std::int64_t from)
    : reader_(file.fd(), from != 0 ? from : envelope.recipients_at),
      size_(envelope.size),
      at_end_(from == 0 && envelope.recipients_at == 0) {}

Result<std::size_t> RecipientReader::read(std::vector<Recipient>& out, std::size_t limit) {
    std::size_t added = 0;
    while (added < limit && !at_end_) {
        TRY_ASSIGN(auto item, reader_.next());
        if (!item)
            return damage("file ends in the middle");
        if (item->type == RecordType::message) {
            reader_.seek(size_.data_offset + size_.message_size);
            continue;
        }
        if (item->type == RecordType::end) {
            at_end_ = true;
            break;
        }
        if (is_recipient(item->type)) {
            if (item->type == RecordType::recipient) {
                pending_.address = item->line();
                pending_.offset = item->offset;
                out.push_back(std::move(pending_));
                ++added;
            }
            pending_ = {};
        } else {
            take_recipient_field(*item, pending_);
        }
    }
    return added;
}
}
