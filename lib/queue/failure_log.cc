#include "queue/failure_log.h"
#include <fcntl.h>
#include <cerrno>
#include "base/bytes.h"
#include "base/fd.h"

namespace queue {
static constexpr std::size_t log_most = 64u << 20;

static void take(FailureEntry& entry, std::string_view name, std::string_view value) {
    if (name == "recipient")
        entry.recipient = value;
    else if (name == "original_recipient")
        entry.original_recipient = value;
    else if (name == "dsn_orig_rcpt")
        entry.dsn_orig_rcpt = value;
    else if (name == "status")
        entry.status = value;
    else if (name == "action")
        entry.action = value;
    else if (name == "reason")
        entry.reason = value;
    else if (name == "diag_type")
        entry.diag_type = value;
    else if (name == "diag_text")
        entry.diag_text = value;
    else if (name == "mta_type")
        entry.mta_type = value;
    else if (name == "mta_mname")
        entry.mta_mname = value;
    else if (name == "offset")
        entry.offset = bytes::to_int(value).value_or(0);
    else if (name == "notify_flags")
        entry.notify_flags = static_cast<int>(bytes::to_int(value).value_or(0));
}

std::vector<FailureEntry> parse_failure_log(std::string_view text, std::size_t most) {
    std::vector<FailureEntry> entries;
    FailureEntry entry;
    bool any = false;
    auto end = [&] {
        if (any && !entry.recipient.empty())
            entries.push_back(std::move(entry));
        entry = {};
        any = false;
    };
    while (!text.empty() && entries.size() < most) {
        auto stop = text.find('\n');
        std::string_view line = text.substr(0, stop);
        text.remove_prefix(stop == text.npos ? text.size() : stop + 1);
        if (line.empty()) {
            end();
            continue;
        }
        if (line.front() == '<' && !any)
            continue;  // the line for people
        auto [name, value] = bytes::cut(line, '=');
        if (!value)
            continue;
        any = true;
        take(entry, name, *value);
    }
    end();
    return entries;
}

Result<std::vector<FailureEntry>> read_failure_log(const std::string& path, std::size_t most) {
    UniqueFd fd(open_untimed(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd && errno == ENOENT)
        return tl::unexpected(Error{{4, 3, 0}, "no such log", ENOENT});  // often, in a listing of a million
    if (!fd)
        return system_error("open " + path, errno);
    TRY_ASSIGN(std::string text, read_file(fd, path, log_most));
    return parse_failure_log(text, most);
}
}
