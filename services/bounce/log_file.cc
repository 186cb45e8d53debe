#include "log_file.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <thread>
#include <fmt/format.h>
#include "base/bytes.h"
#include "base/fd.h"
#include "mail/address.h"

namespace bounce {
namespace {
std::string one_line(std::string_view text) {
    std::string line(text);
    for (char& c : line)
        if (c == '\n' || c == '\r' || c == '\t')
            c = ' ';
    return bytes::printable(line);
}

// Of the open file description where the system has such locks: two jobs of one process then keep apart as well.
Result<void> lock(int fd, const LockPatience& patience) {
#ifdef F_OFD_SETLK
    constexpr int command = F_OFD_SETLK;
#else
    constexpr int command = F_SETLK;
#endif
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    for (std::int64_t attempt = 1; fcntl(fd, command, &whole) != 0;) {
        if (errno == EINTR)
            continue;
        if ((errno != EAGAIN && errno != EACCES) || attempt++ >= patience.attempts)
            return system_error("lock", errno);
        std::this_thread::sleep_for(patience.delay);
    }
    return {};
}
}

std::string log_entry(const ipc::ReportAppend& r, bool with_people_line) {
    std::string text = "\n", address = one_line(mail::to_external(r.address)), reason = one_line(r.reason);
    reason.erase(reason.find_last_not_of(' ') + 1);
    if (with_people_line)
        text += fmt::format("<{}>: {}\n", address, reason);
    auto add = [&](std::string_view name, std::string_view value) {
        if (!value.empty())
            text += fmt::format("{}={}\n", name, value);
    };
    add("recipient", address);
    if (r.original != r.address)
        add("original_recipient", one_line(r.original.empty() ? "" : mail::to_external(r.original)));
    if (r.offset > 0)
        add("offset", std::to_string(r.offset));
    add("dsn_orig_rcpt", one_line(r.orcpt));
    if (r.notify)
        add("notify_flags", std::to_string(r.notify));
    add("status", one_line(r.status));
    add("action", one_line(r.action));
    add("diag_type", one_line(r.diagnostic_type));
    add("diag_text", one_line(r.diagnostic_text));
    add("mta_type", one_line(r.mta_type));
    add("mta_mname", one_line(r.mta_name));  // so spelt by Postfix
    add("reason", reason);
    return text + "\n";
}

Result<void> append_to_log(const std::string& path, std::string_view text, bool durable, LockPatience patience) {
    UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!fd)
        return system_error("open " + path, errno);
    TRY(lock(fd.get(), patience));
    struct stat before {};
    if (fstat(fd.get(), &before) != 0)
        return system_error("fstat " + path, errno);
    Result<void> written = write_all(fd.get(), text);
    if (written && durable && fsync(fd.get()) != 0)
        written = system_error("sync " + path, errno);
    if (!written) {
        if (ftruncate(fd.get(), before.st_size) != 0)
            return system_error("truncate " + path, errno);
        return written;
    }
    return fd.close_checked();
}
}
