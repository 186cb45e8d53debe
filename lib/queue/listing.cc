#include "queue/listing.h"
#include <algorithm>
#include <unordered_map>
#include "base/bytes.h"
#include "loop/loop.h"
#include "queue/failure_log.h"
#include "queue/file.h"

namespace queue {
namespace {
constexpr std::size_t recipients_most = 100000;          // shown of one message
constexpr std::size_t batch = 100;                       // messages in one job for the pool
constexpr std::size_t readers = 4;                       // jobs at once: beyond what processors do, disks that are asked for more are faster

// What a submission in maildrop says: it has no size record, and its recipients may still be in the header.
std::optional<ListedMessage> list_submission(const QueueFile& file, ListedMessage message) {
    RecordReader reader(file.fd());
    message.size = file.bytes();
    bool content = false;
    for (;;) {
        auto item = reader.next();
        if (!item) return std::nullopt;
        if (!*item || (*item)->type == RecordType::end) break;
        const auto& r = **item;
        if (r.type == RecordType::message) content = true;
        if (r.type == RecordType::extracted) content = false;
        if (content) continue;
        if (r.type == RecordType::time) message.arrival = bytes::to_int(bytes::cut(r.payload, ' ').first).value_or(0);
        if (r.type == RecordType::sender) message.sender = r.payload;
        if (r.type == RecordType::recipient && message.recipients.size() < recipients_most) message.recipients.push_back({std::string(r.payload), "", ""});
    }
    return message;
}

// Sender and recipients of one segment, which ends with this record. The offsets are those of the recipients' records.
bool read_segment(RecordReader& reader, RecordType until, ListedMessage& message, bool& has_sender, std::vector<std::int64_t>& offsets) {
    std::string original;
    for (;;) {
        auto item = reader.next();
        if (!item || !*item) return false;
        const auto& r = **item;
        if (r.type == until) return true;
        switch (r.type) {
        case RecordType::message: case RecordType::extracted: case RecordType::end: return false;
        case RecordType::time: if (message.arrival == 0) message.arrival = bytes::to_int(bytes::cut(r.payload, ' ').first).value_or(0); break;
        case RecordType::sender: if (!std::exchange(has_sender, true)) message.sender = r.payload; break;
        case RecordType::original: original = r.payload; break;
        case RecordType::recipient:
            if (offsets.size() < recipients_most) {
                message.recipients.push_back({std::string(r.payload), std::move(original), ""});
                offsets.push_back(r.offset);
            }
            [[fallthrough]];
        case RecordType::done: case RecordType::canceled: original.clear(); break;
        default: break;
        }
    }
}

// QueueFile::envelope() and RecipientReader in one pass, and without what only a delivery needs: most of a listing is this.
bool read_envelope(const QueueFile& file, ListedMessage& message, std::vector<std::int64_t>& offsets) {
    RecordReader reader(file.fd());
    auto first = reader.next();
    if (!first || !*first || (*first)->type != RecordType::size) return false;
    auto size = SizeRecord::parse((*first)->payload);
    if (!size || size->data_offset <= 0 || size->data_offset > file.bytes() || size->message_size > file.bytes() - size->data_offset) return false;
    message.size = size->content_length;
    bool has_sender = false;
    if (!read_segment(reader, RecordType::message, message, has_sender, offsets)) return false;
    reader.seek(size->data_offset + size->message_size);
    auto mark = reader.next();
    if (!mark || !*mark || (*mark)->type != RecordType::extracted) return false;
    return read_segment(reader, RecordType::end, message, has_sender, offsets) && has_sender && message.arrival != 0;
}

// Reasons by the offset of the recipient's record; logs of the oldest systems have none, then by address.
class Reasons {
public:
    explicit Reasons(std::vector<FailureEntry> entries) : entries_(std::move(entries)) {
        for (auto& e : entries_) {
            if (e.offset > 0) by_offset_[e.offset] = &e;
            else by_address_[e.recipient] = &e;
        }
    }
    std::string of(const std::string& address, std::int64_t offset) const {
        if (auto at = by_offset_.find(offset); at != by_offset_.end()) return at->second->reason;
        if (auto at = by_address_.find(address); at != by_address_.end()) return at->second->reason;
        return {};
    }

private:
    std::vector<FailureEntry> entries_;
    std::unordered_map<std::int64_t, const FailureEntry*> by_offset_{};
    std::unordered_map<std::string, const FailureEntry*> by_address_{};
};
}

std::optional<ListedMessage> list_message(const Directories& directories, std::string_view queue, const mail::QueueId& id, const std::string& path, bool with_reasons) {
    auto file = QueueFile::open_path(path, Access::read);
    if (!file || !file->complete()) return std::nullopt;
    ListedMessage message{.queue = std::string(queue), .id = id.text(), .force_expired = (file->mode() & 0010) != 0, .sender = {}};
    if (queue.ends_with(maildrop)) {
        auto listed = list_submission(*file, std::move(message));
        if (listed && listed->sender.empty()) listed->sender = "MAILER-DAEMON";
        return listed;
    }
    std::vector<std::int64_t> offsets;
    if (!read_envelope(*file, message, offsets)) return std::nullopt;
    if (message.sender.empty()) message.sender = "MAILER-DAEMON";
    std::vector<FailureEntry> entries;
    if (with_reasons)
        if (auto log = read_failure_log(directories.path(defer_log, id), recipients_most)) entries = std::move(*log);
    Reasons reasons(std::move(entries));
    for (std::size_t i = 0; i < message.recipients.size(); ++i) {
        ListedRecipient& r = message.recipients[i];
        r.reason = reasons.of(r.address, offsets[i]);
        if (r.original == r.address) r.original.clear();
        if (r.address.empty()) r.address = "MAILER-DAEMON";
    }
    // Those that share a reason come together, those without one last.
    std::stable_sort(message.recipients.begin(), message.recipients.end(), [](const auto& a, const auto& b) { return !a.reason.empty() && b.reason.empty(); });
    return message;
}

namespace {
struct Batch {
    std::vector<Scan::Entry> files{};
    std::vector<ListedMessage> listed{};
};

// The next files, `batch` for each reader; fewer at the end.
std::vector<Batch> next_files(Scan& scan) {
    std::vector<Batch> round(1);
    while (auto entry = scan.next()) {
        round.back().files.push_back(std::move(*entry));
        if (round.back().files.size() < batch) continue;
        if (round.size() == readers) break;
        round.emplace_back();
    }
    return round;
}

void read_files(const Directories& directories, std::string_view queue, std::vector<Batch>& round) {
    auto read = [&](Batch& b) {
        for (const auto& file : b.files)
            if (auto message = list_message(directories, queue, file.id, file.path)) b.listed.push_back(std::move(*message));
    };
    if (round.size() == 1 || !loop::current()) {
        for (Batch& b : round) loop::offload([&] { read(b); });
        return;
    }
    loop::Group::with([&](loop::Group& group) {
        for (Batch& b : round) group.spawn([&] { loop::offload([&] { read(b); }); });
        group.join(false);
    });
}
}

void list_queues(const Directories& directories, const std::function<bool(const ListedMessage&)>& found) {
    for (std::string_view queue : {maildrop, active, incoming, deferred, hold}) {
        Scan scan(directories, queue);
        for (std::size_t seen = 1; seen != 0;) {
            std::vector<Batch> round;
            loop::offload([&] { round = next_files(scan); });
            read_files(directories, queue, round);
            seen = 0;
            for (const Batch& b : round) {
                seen += b.files.size();
                for (const auto& message : b.listed) if (!found(message)) return;
            }
        }
    }
}
}
