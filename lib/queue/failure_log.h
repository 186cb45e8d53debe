// What defer/ID, bounce/ID and trace/ID say of a message's recipients: paragraphs of name=value lines behind a line for
// people.
//
//     <r@example.org>: host mx.example.org said: 450 4.7.1 …
//     recipient=r@example.org
//     offset=320
//     status=4.7.1
//     action=delayed
//     reason=host mx.example.org said: 450 4.7.1 …
//
// When things fail: a damaged paragraph is passed over; a file that is absent or cannot be read has no entries.
#pragma once
#include <string>
#include <vector>
#include "base/error.h"

namespace queue {
struct FailureEntry {
    std::string recipient, original_recipient, dsn_orig_rcpt, status, action, reason;
    std::string diag_type, diag_text, mta_type, mta_mname;
    std::int64_t offset = 0;
    int notify_flags = 0;
};
// At most `most` entries of the file at path. ENOENT in the Error where there is no such file.
Result<std::vector<FailureEntry>> read_failure_log(const std::string& path, std::size_t most = 100000);
std::vector<FailureEntry> parse_failure_log(std::string_view text, std::size_t most = 100000);
}
