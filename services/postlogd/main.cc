// postlogd: writes maillog_file, from the lines that all other programs send it as datagrams (log/postlog.h). The file
// is opened as root before the rights go, so a rotated file is taken up by the next generation (`postfix reload`,
// `postfix logrotate`).
//
// When things fail: lines that cannot be written are lost, with one line a minute to syslog.
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <ctime>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "log/log.h"
#include "log/postlog.h"
#include "server/maillog.h"
#include "server/server.h"

namespace postlogd {
namespace {
constexpr std::size_t line_limit = 4096, gather_limit = 64 * 1024;
UniqueFd file;
std::string gathered;

void write_out() {
    static std::time_t complained = 0;
    Result<void> r = write_all(file.get(), gathered);
    gathered.clear();
    if (r || std::time(nullptr) - complained < 60)
        return;
    complained = std::time(nullptr);
    maillog::warning("{}: {}", server::settings()[param::maillog_file], r.error().reason);
}
}

Result<void> open_file(const conf::Settings& settings) {
    const std::string& path = settings[param::maillog_file];
    maillog::redirect(nullptr, nullptr);  // its own lines go to syslog: it cannot wait for itself
    if (path.empty())
        return permanent("maillog_file is not set: there is no file to write");
    if (std::string problem = server::maillog_problem(settings); !problem.empty())
        return permanent(problem);
    unsigned mode = static_cast<unsigned>(std::stoul(settings[param::maillog_file_permissions], nullptr, 8)) & 0666;
    if (path == "/dev/stdout") {
        file = UniqueFd(dup(STDOUT_FILENO));
        if (!file)
            return system_error("open " + path, errno);
        return {};
    }
    TRY_ASSIGN(file, maillog::open_to_append(path, mode));
    (void)flock(file.get(), LOCK_SH);  // `postfix logrotate` waits until nobody writes an old file
    return {};
}

// One line: what is not printable is shown as '?', since who may send here is more than who may write the file.
void take_line(std::string_view data) {
    while (!data.empty() && (data.back() == '\n' || data.back() == '\0'))
        data.remove_suffix(1);
    gathered += bytes::printable(data.substr(0, line_limit));
    gathered += '\n';
    if (gathered.size() > gather_limit)
        write_out();
}
void end_lines() {
    if (!gathered.empty())
        write_out();
}
}

int main(int argc, char** argv) {
    return server::run({.name = "postlogd",
                        .needs = server::need::files_write,
                        .bound = server::Bound::processes,
                        .one_process = true,
                        .watchdog = &param::postlogd_watchdog_timeout,
                        .before_jail = postlogd::open_file,
                        .datagram = postlogd::take_line,
                        .datagrams_end = postlogd::end_lines},
                       argc, argv);
}
