// The file bounce/ID, defer/ID or trace/ID: what became of a message's recipients so far, in the format of
// lib/queue/failure_log.h. Postfix reads ours and we read Postfix's.
//
// When things fail: an append that could not be written whole is taken back; the Error says why.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include "base/error.h"
#include "ipc/bounce.h"

namespace bounce {
// One recipient's paragraphs. with_people_line: "<address>: reason" in front, which Postfix before 2.0 reads, and
// people.
std::string log_entry(const ipc::ReportAppend& recipient, bool with_people_line);
// Adds text at the end of the file, making it where it is missing. durable: it is on stable storage when this returns:
// a failure that is only noted here must outlive a power cut, since its recipient is marked as done next. patience: for
// the file's lock, which another bounce service or postcat may hold.
struct LockPatience {
    std::int64_t attempts = 20;
    std::chrono::seconds delay{1};
};
Result<void> append_to_log(const std::string& path, std::string_view text, bool durable, LockPatience patience = {});
}
