#include "submission.h"
#include <utility>
#include "base/bytes.h"
#include "log/log.h"

namespace pickup {
using queue::RecordType;
using queue::Segment;

namespace {
// Only what a user may set; a message that comes back keeps all of its own but what cleanup writes anew.
bool allowed_attribute(std::string_view payload, const Origin& origin) {
    const auto [name, value] = bytes::cut(payload, '=');
    if (origin.requeued)
        return value && !name.empty() && name != queue::attribute::create_time;
    if (value && queue::is_submission_attribute(name, *value))
        return true;
    maillog::warning("maildrop/{}: ignoring attribute record: {:.200}", origin.old_id, payload);
    return false;
}

Failure unexpected(RecordType type) {
    return queue::damage("unexpected record type " + std::to_string(static_cast<int>(type)));
}
}

Result<void> Submission::envelope(queue::RecordReader& reader, const Out& out, const std::string& filter,
                                  const std::function<void(std::string_view)>& sender) {
    bool first = true, has_sender = false;
    while (true) {
        TRY_ASSIGN(auto item, reader.next());
        if (!item)
            return queue::damage("file ends within the envelope");
        if (item->type == RecordType::message) {
            if (!has_sender)
                return queue::damage("no sender");
            return out(RecordType::message, "");
        }
        if (!queue::takes(door_, Segment::envelope, item->type))
            return unexpected(item->type);
        if (item->type == RecordType::size) {  // of a message that comes back; its time is next
            TRY(out(item->type, item->payload));
            continue;
        }
        if (first) {
            // The arrival time goes first: the file's, or when it was written.
            first = false;
            const std::string written = std::to_string(origin_.modified);
            TRY(out(RecordType::time, item->type == RecordType::time ? item->payload : std::string_view(written)));
            if (!filter.empty())
                TRY(out(RecordType::filter, filter));
        }
        switch (item->type) {
        case RecordType::create_time:
        case RecordType::done:
        case RecordType::canceled:
        case RecordType::killed:
        case RecordType::padding:
        case RecordType::warn_time:
        case RecordType::filter:  // of a message that comes back: content_filter as it is now decides
            break;
        case RecordType::time: break;  // put first, above; later ones do not count
        case RecordType::attribute:
            if (allowed_attribute(item->payload, origin_))
                TRY(out(item->type, item->payload));
            break;
        case RecordType::sender:
            if (has_sender)
                return queue::damage("more than one sender");
            has_sender = true;
            sender(item->payload);
            TRY(out(item->type, item->payload));
            break;
        default: TRY(out(item->type, item->payload));
        }
    }
}

Result<void> Submission::content(queue::RecordReader& reader, const Out& out, const std::string& received) {
    if (!origin_.requeued)
        for (std::string_view line : bytes::split(received, "\n"))
            TRY(out(RecordType::line, line));
    bool first = !origin_.requeued;
    while (true) {
        TRY_ASSIGN(auto item, reader.next());
        if (!item)
            return queue::damage("file ends within the content");
        if (item->type == RecordType::extracted)
            return out(item->type, "");
        if (!queue::takes(door_, Segment::content, item->type))
            return unexpected(item->type);
        // Text that begins with a blank is no header, and no part of the field above it.
        if (std::exchange(first, false) && (item->payload.starts_with(' ') || item->payload.starts_with('\t')))
            TRY(out(RecordType::line, ""));
        TRY(out(item->type, item->payload));
    }
}

Result<void> Submission::extracted(queue::RecordReader& reader, const Out& out) {
    while (true) {
        TRY_ASSIGN(auto item, reader.next());
        if (!item)
            return queue::damage("file ends before its end record");
        if (item->type == RecordType::end)
            return {};
        if (!queue::takes(door_, Segment::extracted, item->type))
            return unexpected(item->type);
        if (item->type == RecordType::done || item->type == RecordType::canceled || item->type == RecordType::killed ||
            item->type == RecordType::padding || item->type == RecordType::filter)
            continue;
        if (item->type == RecordType::attribute && !allowed_attribute(item->payload, origin_))
            continue;
        TRY(out(item->type, item->payload));
    }
}

Result<void> Submission::copy(const Out& out, const std::string& filter, const std::string& received,
                              const std::function<void(std::string_view)>& sender) {
    queue::RecordReader reader(file_.fd());
    TRY(envelope(reader, out, filter, sender));
    TRY(content(reader, out, received));
    return extracted(reader, out);
}
}
