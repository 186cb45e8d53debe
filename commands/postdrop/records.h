// What a local user may write into maildrop/: the record stream of sendmail(1), checked one record at a time.
//
// envelope (F S A V R …) M content (L N) X extracted (A R) E. Of the attributes only those of a submission; all else is
// dropped with a warning. pickup checks again: this file only keeps out what is plainly wrong while the user still
// waits. When things fail: an Error that names the record; the submission ends.
#pragma once
#include <string>
#include <string_view>
#include "base/error.h"
#include "queue/doors.h"

namespace postdrop {
class RecordFilter {
public:
    // envelope_record_max: bytes of an address or attribute (line_length_limit).
    explicit RecordFilter(std::size_t envelope_record_max = 2048) : envelope_record_max_(envelope_record_max) {}
    enum class Fate { keep, drop };
    Result<Fate> check(queue::RecordType type, std::string_view payload);
    bool ended() const { return ended_; }
    const std::string& sender() const { return sender_; }  // internal form
    bool has_sender() const { return has_sender_; }

private:
    std::size_t envelope_record_max_;
    queue::Segment segment_ = queue::Segment::envelope;
    bool ended_ = false;
    std::string sender_;
    bool has_sender_ = false;
};
}
