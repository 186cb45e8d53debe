// A queue file in the making. The order of steps is the promise behind "250 2.0.0 Ok: queued as ID" (DESIGN.md, section
// 3):
//
//     create    a temporary name in the queue's directory, renamed to the id (a short id holds the inode's number),
//     mode 0600 put …     records, kept in a buffer that is written when it is large commit    the E record, the
//     numbers of the size record, an exclusive lock, the complete mode 0700, one fsync, the lock given up
//
// The mode goes before the fsync, which makes it durable along with the bytes: set after it, a power cut could leave a
// message that was acknowledged and looks unfinished. But a reader must not take what an fsync may yet refuse, or the
// client, told 4xx, sends it again beside the copy that was delivered: qmgr and pickup take a file only when nobody
// holds its lock. The lock ends with the process; what a killed one leaves behind is complete, and is taken.
//
// Each of create, a full buffer and commit is one job for the pool when called in a fiber, and a plain call elsewhere.
//
// When things fail: put() and commit() return the Error (ENOSPC and EFBIG are told apart by sys_errno); the file is
// removed, at the latest by the destructor, and before its lock is given up. A failed fsync is never tried again.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include "base/error.h"
#include "base/fd.h"
#include "base/time.h"
#include "mail/queue_id.h"
#include "queue/directories.h"
#include "queue/record.h"

namespace queue {
inline constexpr unsigned incomplete_mode = 0600, complete_mode = 0700;

class NewQueueFile {
public:
    // In `queue` (incoming; maildrop by postdrop). An empty size record is the first thing in it. directories must
    // outlive the file.
    static Result<NewQueueFile> create(const Directories& directories, std::string_view queue, bool long_id);
    NewQueueFile(NewQueueFile&&) noexcept;
    NewQueueFile& operator=(NewQueueFile&&) = delete;
    ~NewQueueFile();  // cancels what was not committed

    const mail::QueueId& id() const { return id_; }
    base::WallTime created() const { return created_; }  // the time that is in the id

    [[nodiscard]] Result<void> put(RecordType type, std::string_view payload = {});
    // name=value, as an attribute record.
    [[nodiscard]] Result<void> put_attribute(std::string_view name, std::string_view value);
    // Records that are already encoded, whole.
    [[nodiscard]] Result<void> put_encoded(std::string_view records);
    // Where the next record begins: remember it for SizeRecord, or to patch() it.
    std::int64_t offset() const { return written_ + static_cast<std::int64_t>(buffer_.size()); }
    // Replaces bytes that were put, at the same length.
    [[nodiscard]] Result<void> patch(std::int64_t at, std::string_view bytes);

    // Moves the file to another queue (hold) before it is complete.
    [[nodiscard]] Result<void> move(std::string_view queue);
    // Time of modification that the complete file gets, in seconds: qmgr leaves it alone until then.
    void set_due(std::int64_t when) { due_ = when; }
    // Completes the file. After success it is the queue's: nothing can be taken back.
    [[nodiscard]] Result<void> commit(const SizeRecord& size);
    void cancel();  // removes the file; nothing happens after commit()
    std::string path() const { return directories_->path(queue_, id_); }

    // For crash tests: called after each step of commit() with its name; false stops there, as a crash would.
    inline static std::function<bool(std::string_view step)> after_step;

private:
    NewQueueFile(const Directories& directories, std::string queue, mail::QueueId id, base::WallTime created,
                 UniqueFd fd);
    Result<void> flush();
    Result<void> finish(const SizeRecord& size);
    const Directories* directories_;
    std::string queue_;
    mail::QueueId id_;
    base::WallTime created_;
    UniqueFd fd_;
    std::string buffer_{};
    std::int64_t written_ = 0, due_ = 0;
    bool open_ = true;
};
}
