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

// Reasons by the offset of the recipient's record; logs of the oldest systems have none, then by address.
class Reasons {
public:
    explicit Reasons(std::vector<FailureEntry> entries) : entries_(std::move(entries)) {
        for (auto& e : entries_) {
            if (e.offset > 0) by_offset_[e.offset] = &e;
            else by_address_[e.recipient] = &e;
        }
    }
    std::string of(const Recipient& recipient) const {
        if (auto at = by_offset_.find(recipient.offset); at != by_offset_.end()) return at->second->reason;
        if (auto at = by_address_.find(recipient.address); at != by_address_.end()) return at->second->reason;
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
    auto envelope = file->envelope();
    if (!envelope) return std::nullopt;
    message.arrival = envelope->arrival.seconds;
    message.size = envelope->size.content_length;
    message.sender = envelope->sender.empty() ? "MAILER-DAEMON" : envelope->sender;
    std::vector<Recipient> recipients;
    RecipientReader(*file, *envelope).read(recipients, recipients_most);
    std::vector<FailureEntry> entries;
    if (with_reasons)
        if (auto log = read_failure_log(directories.path(defer_log, id), recipients_most)) entries = std::move(*log);
    Reasons reasons(std::move(entries));
    for (auto& r : recipients) {
        std::string reason = reasons.of(r);
        if (r.original == r.address) r.original.clear();
        message.recipients.push_back({r.address.empty() ? "MAILER-DAEMON" : std::move(r.address), std::move(r.original), std::move(reason)});
    }
    // Those that share a reason come together, those without one last.
    std::stable_sort(message.recipients.begin(), message.recipients.end(), [](const auto& a, const auto& b) { return !a.reason.empty() && b.reason.empty(); });
    return message;
}

void list_queues(const Directories& directories, const std::function<bool(const ListedMessage&)>& found) {
    for (std::string_view queue : {maildrop, active, incoming, deferred, hold}) {
        Scan scan(directories, queue);
        for (bool end = false; !end;) {
            std::vector<ListedMessage> listed;
            loop::offload([&] {
                for (std::size_t n = 0; n < batch; ++n) {
                    auto entry = scan.next();
                    if (!entry) { end = true; break; }
                    if (auto message = list_message(directories, queue, entry->id, entry->path)) listed.push_back(std::move(*message));
                }
            });
            for (const auto& message : listed) if (!found(message)) return;
        }
    }
}
}
