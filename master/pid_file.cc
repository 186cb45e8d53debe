#include "pid_file.h"
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>
#include "base/bytes.h"

namespace master {
Result<PidFile> lock_pid_file(const std::string& directory) {
    std::string path = directory + "/master.pid";
    PidFile file;
    file.fd = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.fd) return system_error("open " + path, errno);
    if (flock(file.fd.get(), LOCK_EX | LOCK_NB) == 0) return file;
    if (errno != EWOULDBLOCK) return system_error("lock " + path, errno);
    file.fd.reset();
    if (Result<std::string> text = read_file(path, 100)) file.owner = static_cast<pid_t>(bytes::to_int(bytes::trim(*text)).value_or(0));
    return file;
}

Result<void> write_pid(const PidFile& file) {
    if (ftruncate(file.fd.get(), 0) != 0) return system_error("truncate the pid file", errno);
    if (lseek(file.fd.get(), 0, SEEK_SET) != 0) return system_error("seek in the pid file", errno);
    return write_all(file.fd.get(), fmt::format("{:32}\n", getpid()));
}
}
