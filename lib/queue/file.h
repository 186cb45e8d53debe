// A queue file that exists: reading its records, its envelope and its content, and marking recipients as done.
//
//     auto file = queue::QueueFile::open(directories, queue::active, id, queue::Access::update);
//     auto envelope = file->envelope();                      // everything but the recipients
//     queue::RecipientReader recipients(*file);
//     recipients.read(batch, 50);                            // again and again, until it adds none
//     queue::ContentReader content(*file, envelope->size);
//     while (auto piece = content.next()) …
//
// When things fail: a file that is cut short, has no E record, loops through its pointer records or holds what no
// record may hold is an Error with sys_errno EBADMSG: the caller moves it to corrupt/ and says so. Other Errors are the
// system's (ENOENT: it is gone).
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include "base/bytes.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/time.h"
#include "mail/queue_id.h"
#include "queue/directories.h"
#include "queue/record.h"

namespace queue {
// Whether an Error is about what the file holds, not about reaching it.
bool is_damage(const Error& error);
Failure damage(std::string reason);

// Reads records one after another through a buffer of its own, following pointer records. Does not own the descriptor.
class RecordReader {
public:
    explicit RecordReader(int fd, std::int64_t from = 0, std::size_t chunk = 16384)
        : fd_(fd), next_(from), chunk_(chunk) {}
    struct Item {
        RecordType type;
        std::string_view payload;  // holds until the next call
        std::int64_t offset;
        // Of an envelope record: a name or an address, in which no line may end.
        std::string line() const { return bytes::one_line(std::string(payload)); }
    };
    // The next record; absent after the end of the file without an E record was met, which is damage for most callers,
    // or after E. Pointer and padding records are passed over unless show_pointers was called.
    Result<std::optional<Item>> next();
    RecordReader& show_pointers() {
        show_ = true;
        return *this;
    }
    RecordReader& in_file_order() {
        follow_ = false;
        return *this;
    }  // pointer records lead nowhere
    void seek(std::int64_t offset) {
        next_ = offset;
        passed_ = 0;
    }
    std::int64_t position() const { return next_; }  // of the next record

private:
    Result<std::string_view> bytes_at(std::int64_t offset, std::size_t wanted);  // fewer at the end of the file
    int fd_;
    std::int64_t next_, start_ = 0;     // start_: file offset of buffer_'s first byte
    std::unique_ptr<char[]> buffer_{};  // size_ bytes, of which have_ are read: never filled with zeros before
    std::size_t size_ = 0, have_ = 0, chunk_;
    std::int64_t passed_ = 0;  // bytes of records since seek(): see next()
    bool show_ = false, follow_ = true, at_end_of_file_ = false;
};

struct Recipient {
    std::string address;
    std::string original;      // O record: before aliases and canonical maps; "" where there was none
    std::string dsn_original;  // ORCPT in its stored form, "rfc822;a@b"
    int dsn_notify = 0;        // mail::notify bits
    std::int64_t offset = 0;   // of its R record: for mark_done
};

// All that a file says but recipients and content.
struct Envelope {
    SizeRecord size;
    base::WallTime arrival;
    std::int64_t create_time = 0;  // when the file was made; 0 where it does not say
    std::string sender;
    bool has_sender = false;
    std::string full_name, filter, inspector, redirect, verp;
    bool has_verp = false;
    std::int64_t warn_time = 0;   // 0: no warning wanted, or sent
    std::int64_t warn_at = 0;     // offset of that record, for mark_warned
    std::string dsn_envelope_id;  // ENVID, decoded
    int dsn_return = 0;           // mail::ret bits
    int trace_flags = 0;
    std::string encoding;                                         // "7bit", "8bit", "" where it was not said
    std::vector<std::pair<std::string, std::string>> attributes;  // the others, in the file's order: log_client_name …
    std::int64_t recipients_at = 0;  // offset where recipients (and their attributes) begin
    std::size_t remaining = 0;       // R records
    std::size_t finished = 0;        // D records

    std::string_view attribute(std::string_view name) const;  // the last of this name; "" where it is absent
};

// The first recipients that are still to be delivered, for who reads the envelope and wants them at once.
struct FirstRecipients {
    std::size_t most;  // how many are wanted
    std::vector<Recipient> list{};
    std::int64_t next_offset = 0;  // for a RecipientReader that goes on behind them
};

// deliver: update, for a delivery agent, which is told by others what to open: the file is the effective user's own,
// complete, and nobody else may write it; below the queue's directory no link is followed.
enum class Access { read, update, deliver };

class QueueFile {
public:
    static Result<QueueFile> open(const Directories& directories, std::string_view queue, const mail::QueueId& id,
                                  Access access);
    static Result<QueueFile> open_path(const std::string& path, Access access);
    // Takes over a descriptor that is already open.
    static Result<QueueFile> adopt(UniqueFd fd, std::string path);

    int fd() const { return fd_.get(); }
    const std::string& path() const { return path_; }
    std::int64_t bytes() const { return bytes_; }
    unsigned mode() const { return mode_; }
    std::int64_t modified() const { return modified_; }
    std::int64_t inode() const { return inode_; }
    bool complete() const { return (mode_ & 0100) != 0; }  // the owner's execute bit

    // Advisory locks, for the life of the descriptor: one exclusive holder, or any number of shared ones. Delivery
    // agents hold the shared one while they deliver; qmgr tests for the exclusive one before it starts with a message.
    // false: another holds it.
    Result<bool> try_lock_shared();
    Result<bool> try_lock_exclusive();
    void unlock();

    // Reads the whole file but the content's bytes, and says whether it is one: first record, offsets and E record.
    Result<Envelope> envelope(FirstRecipients* wanted = nullptr) const;
    // R becomes D, in place: one write, not synced (DESIGN.md, section 3). Damage, and nothing is written, where no
    // recipient record is there.
    Result<void> mark_done(std::int64_t offset) const;
    // The warning has been sent: the time of the record at this offset becomes 0.
    Result<void> mark_warned(std::int64_t offset) const;

private:
    QueueFile() = default;
    UniqueFd fd_{};
    std::string path_{};
    std::int64_t bytes_ = 0, modified_ = 0, inode_ = 0;
    unsigned mode_ = 0, owner_ = 0;
};

// The recipients that are still to be delivered, in the file's order, some at a time. May be kept and used again later
// with the offset at which it stopped.
class RecipientReader {
public:
    RecipientReader(const QueueFile& file, const Envelope& envelope, std::int64_t from = 0);
    // Adds at most limit recipients to out. Fewer (none) are added at the end only.
    Result<std::size_t> read(std::vector<Recipient>& out, std::size_t limit);
    bool at_end() const { return at_end_; }
    std::int64_t position() const { return reader_.position(); }  // to go on from, in another reader

private:
    RecordReader reader_;
    SizeRecord size_;
    Recipient pending_{};
    bool at_end_ = false;
};

// The content, line by line, without line ends and without copying.
class ContentReader {
public:
    ContentReader(const QueueFile& file, const SizeRecord& size);
    struct Piece {
        std::string_view text;
        bool ends_line;
    };  // text holds until the next call; a long line comes in pieces
    // Absent at the end of the content.
    Result<std::optional<Piece>> next();
    // Appends lines, each with this line end, until out has at least `enough` bytes more or the content ends. Returns
    // whether there is more. A line that is not ended at the end of the content gets a line end.
    Result<bool> read(std::string& out, std::size_t enough, std::string_view line_end);
    void rewind();

private:
    RecordReader reader_;
    std::int64_t from_;
    bool at_end_ = false, open_line_ = false;
};
}
