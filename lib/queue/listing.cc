#include "queue/listing.h"
#include <algorithm>
#include <deque>
#include <mutex>
#include <unordered_map>
#include "base/bytes.h"
#include "loop/loop.h"
#include "mail/address.h"
#include "queue/failure_log.h"
#include "queue/file.h"

namespace queue {
namespace {
constexpr std::size_t recipients_most = 100000;  // shown of one message
constexpr std::size_t envelope_size = 4096;      // most are smaller: one read, of little that is not needed
constexpr std::size_t batch = 100;               // files in one job for the pool
constexpr std::size_t text_most = 256u << 10;    // what a job gathers, messages with many recipients apart
constexpr std::size_t readers = 4;  // jobs at once: beyond what processors do, disks that are asked for more are faster

// What a submission in maildrop says: it has no size record, and its recipients may still be in the header.
std::optional<ListedMessage> list_submission(const QueueFile& file, ListedMessage message) {
    RecordReader reader(file.fd());
    message.size = file.bytes();
    bool content = false;
    for (;;) {
        auto item = reader.next();
        if (!item)
            return std::nullopt;
        if (!*item || (*item)->type == RecordType::end)
            break;
        const auto& r = **item;
        if (r.type == RecordType::message)
            content = true;
        if (r.type == RecordType::extracted)
            content = false;
        if (content)
            continue;
        if (r.type == RecordType::time)
            message.time = bytes::to_int(bytes::cut(r.payload, ' ').first).value_or(0);
        if (r.type == RecordType::sender)
            message.sender = r.line();
        if (r.type == RecordType::recipient && message.recipients.size() < recipients_most)
            message.recipients.push_back({r.line(), "", ""});
    }
    return message;
}

// Sender and recipients of one segment, which ends with this record. The offsets are those of the recipients' records.
bool read_segment(RecordReader& reader, RecordType until, ListedMessage& message, bool& has_sender,
                  std::vector<std::int64_t>& offsets) {
    std::string original;
    for (;;) {
        auto item = reader.next();
        if (!item || !*item)
            return false;
        const auto& r = **item;
        if (r.type == until)
            return true;
        switch (r.type) {
        case RecordType::message:
        case RecordType::extracted:
        case RecordType::end: return false;
        case RecordType::time:
            if (message.time == 0)
                message.time = bytes::to_int(bytes::cut(r.payload, ' ').first).value_or(0);
            break;
        case RecordType::sender:
            if (!std::exchange(has_sender, true))
                message.sender = r.line();
            break;
        case RecordType::original: original = r.line(); break;
        case RecordType::recipient:
            if (offsets.size() < recipients_most) {
                message.recipients.push_back({r.line(), std::move(original), ""});
                offsets.push_back(r.offset);
            }
            [[fallthrough]];
        case RecordType::done:
        case RecordType::canceled: original.clear(); break;
        default: break;
        }
    }
}

// QueueFile::envelope() and RecipientReader in one pass, and without what only a delivery needs: most of a listing is
// this.
bool read_envelope(const QueueFile& file, ListedMessage& message, std::vector<std::int64_t>& offsets) {
    RecordReader reader(file.fd(), 0, envelope_size);
    auto first = reader.next();
    if (!first || !*first || (*first)->type != RecordType::size)
        return false;
    auto size = SizeRecord::parse((*first)->payload);
    if (!size || size->data_offset <= 0 || size->data_offset > file.bytes() ||
        size->message_size > file.bytes() - size->data_offset)
        return false;
    message.size = size->content_length;
    bool has_sender = false;
    if (!read_segment(reader, RecordType::message, message, has_sender, offsets))
        return false;
    reader.seek(size->data_offset + size->message_size);
    auto mark = reader.next();
    if (!mark || !*mark || (*mark)->type != RecordType::extracted)
        return false;
    return read_segment(reader, RecordType::end, message, has_sender, offsets) && has_sender && message.time != 0;
}

// Reasons by the offset of the recipient's record; logs of the oldest systems have none, then by address.
class Reasons {
public:
    explicit Reasons(std::vector<FailureEntry> entries) : entries_(std::move(entries)) {
        for (auto& e : entries_) {
            if (e.offset > 0)
                by_offset_[e.offset] = &e;
            else
                by_address_[e.recipient] = &e;
        }
    }
    std::string of(const std::string& address, std::int64_t offset) const {
        if (auto at = by_offset_.find(offset); at != by_offset_.end())
            return at->second->reason;
        if (auto at = by_address_.find(address); at != by_address_.end())
            return at->second->reason;
        return {};
    }

private:
    std::vector<FailureEntry> entries_;
    std::unordered_map<std::int64_t, const FailureEntry*> by_offset_{};
    std::unordered_map<std::string, const FailureEntry*> by_address_{};
};
}

// In external form, as the log of deferrals has them too.
static void show_addresses(ListedMessage& message) {
    message.sender = message.sender.empty() ? "MAILER-DAEMON" : mail::to_external(message.sender);
    for (ipc::QueueListRecipient& r : message.recipients) {
        r.original = r.original == r.address ? "" : mail::to_external(r.original);
        r.address = r.address.empty() ? "MAILER-DAEMON" : mail::to_external(r.address);
    }
}

std::optional<ListedMessage> list_message(const Directories& directories, std::string_view queue,
                                          const mail::QueueId& id, const std::string& path, bool with_reasons) {
    auto file = QueueFile::open_path(path, Access::read);
    if (!file || !file->complete())
        return std::nullopt;
    ListedMessage message{.queue_name = std::string(queue),
                          .queue_id = id.text(),
                          .forced_expire = (file->mode() & 0010) != 0,
                          .sender = {}};
    if (queue.ends_with(maildrop)) {
        auto listed = list_submission(*file, std::move(message));
        if (listed)
            show_addresses(*listed);
        return listed;
    }
    std::vector<std::int64_t> offsets;
    if (!read_envelope(*file, message, offsets))
        return std::nullopt;
    show_addresses(message);
    std::vector<FailureEntry> entries;
    if (with_reasons)
        if (auto log = read_failure_log(directories.path(defer_log, id), recipients_most))
            entries = std::move(*log);
    Reasons reasons(std::move(entries));
    for (std::size_t i = 0; i < message.recipients.size(); ++i) {
        ipc::QueueListRecipient& r = message.recipients[i];
        r.reason = reasons.of(r.address, offsets[i]);
    }
    // Those that share a reason come together, those without one last.
    if (message.recipients.size() > 1)
        std::stable_sort(message.recipients.begin(), message.recipients.end(),
                         [](const auto& a, const auto& b) { return !a.reason.empty() && b.reason.empty(); });
    return message;
}

namespace {
// What the readers share. Names are taken in jobs of the pool, under the lock; texts are written by the fibers, in the
// order of the names.
class Listing {
public:
    Listing(const Directories& directories, const std::function<void(const ListedMessage&, std::string&)>& form,
            const std::function<bool(std::string_view)>& write)
        : directories_(directories), form_(form), write_(write) {}
    // One reader: a batch after another, to the end.
    void read();

private:
    struct Batch {
        std::size_t number = 0;
        std::string_view queue{};
        std::vector<Scan::Entry> files{};
    };
    Batch next();

    const Directories& directories_;
    const std::function<void(const ListedMessage&, std::string&)>& form_;
    const std::function<bool(std::string_view)>& write_;
    std::mutex names_{};
    std::deque<std::string_view> queues_{maildrop, active, incoming, deferred, hold};
    std::optional<Scan> scan_{};
    std::size_t given_ = 0, written_ = 0;  // batches
    loop::Condition turn_{};
    bool alive_ = true;
};

// Of one queue only. Without files: the end.
Listing::Batch Listing::next() {
    std::lock_guard hold_names(names_);
    Batch out;
    while (out.files.empty() && !queues_.empty()) {
        out.queue = queues_.front();
        if (!scan_)
            scan_.emplace(directories_, out.queue);
        while (out.files.size() < batch) {
            auto entry = scan_->next();
            if (!entry) {
                scan_.reset();
                queues_.pop_front();
                break;
            }
            out.files.push_back(std::move(*entry));
        }
    }
    if (!out.files.empty())
        out.number = given_++;
    return out;
}

void Listing::read() {
    std::string text;
    Batch b;
    std::size_t at = 0;
    while (alive_) {
        text.clear();
        loop::offload([&] {
            if (at == b.files.size()) {
                b = next();
                at = 0;
            }
            for (; at < b.files.size() && text.size() < text_most; ++at)
                if (auto message = list_message(directories_, b.queue, b.files[at].id, b.files[at].path))
                    form_(*message, text);
        });
        if (b.files.empty())
            return;
        while (alive_ && b.number != written_)
            turn_.wait();
        if (alive_ && !text.empty())
            alive_ = write_(text);
        if (at == b.files.size())
            ++written_;
        if (!alive_ || at == b.files.size())
            turn_.notify_all();
    }
}
}

void list_queues(const Directories& directories, const std::function<void(const ListedMessage&, std::string&)>& form,
                 const std::function<bool(std::string_view)>& write) {
    Listing listing(directories, form, write);
    if (!loop::current())
        return listing.read();
    loop::Group::with([&](loop::Group& group) {
        for (std::size_t i = 0; i < readers; ++i)
            group.spawn([&] { listing.read(); });
    });
}
}
