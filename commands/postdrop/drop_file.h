// A file in maildrop/ in the making: owned by the user who runs postdrop, readable for pickup once it is complete (mode
// 0744).
//
// When things fail: an Error; the file goes with the object, and with a signal (see remove_on_signals).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include "base/error.h"
#include "base/fd.h"
#include "mail/queue_id.h"

namespace postdrop {
class DropFile {
public:
    // In the working directory's maildrop/.
    static Result<DropFile> create(bool long_id);
    DropFile(DropFile&& o) noexcept;
    ~DropFile();
    const mail::QueueId& id() const { return id_; }
    base::WallTime created() const { return created_; }
    [[nodiscard]] Result<void> put(std::string_view records);
    std::int64_t bytes() const { return written_ + static_cast<std::int64_t>(buffer_.size()); }
    // All of it on the disk, complete and visible to pickup.
    [[nodiscard]] Result<void> commit();

private:
    DropFile(UniqueFd fd, mail::QueueId id, base::WallTime created);
    Result<void> flush();
    UniqueFd fd_;
    mail::QueueId id_;
    base::WallTime created_;
    std::string buffer_{};
    std::int64_t written_ = 0;
    bool open_ = true;
};
// HUP, INT, QUIT, TERM: the unfinished file is removed, then the process ends. XFSZ and PIPE become error returns.
void remove_on_signals();
// What std::exit() must not leave behind; also called at every exit after remove_on_signals().
void remove_unfinished();
}
