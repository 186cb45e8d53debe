// One file of maildrop/, checked and turned into the records that cleanup is sent.
//
// Files of ordinary users hold what postdrop lets through; those of $mail_owner are messages that postsuper -r sent
// back, with everything that was known about them. Nothing in the former decides a file name, a transport or a log
// line's beginning. When things fail: an Error; is_damage() of queue/file.h tells a file that can never be delivered
// from trouble that passes.
#pragma once
#include <sys/types.h>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include "base/error.h"
#include "queue/doors.h"
#include "queue/file.h"

namespace pickup {
struct Origin {
    std::string old_id;  // the file's name in maildrop/
    uid_t uid = 0;
    bool requeued = false;  // owned by $mail_owner
    std::int64_t modified = 0;
};

class Submission {
public:
    // file: open for reading, complete.
    Submission(const queue::QueueFile& file, Origin origin)
        : file_(file),
          origin_(std::move(origin)),
          door_(origin_.requeued ? queue::Door::requeued : queue::Door::submission) {}
    const Origin& origin() const { return origin_; }

    // Gives every record of the message but END to `out` in the order cleanup wants them; `received` is put before the
    // content of new mail. `sender` is called once, when the sender is known.
    using Out = std::function<Result<void>(queue::RecordType, std::string_view)>;
    Result<void> copy(const Out& out, const std::string& filter, const std::string& received,
                      const std::function<void(std::string_view)>& sender);

private:
    Result<void> envelope(queue::RecordReader& reader, const Out& out, const std::string& filter,
                          const std::function<void(std::string_view)>& sender);
    Result<void> content(queue::RecordReader& reader, const Out& out, const std::string& received);
    Result<void> extracted(queue::RecordReader& reader, const Out& out);
    const queue::QueueFile& file_;
    Origin origin_;
    queue::Door door_;
};
}
