#include "pid_file.h"
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "conf/rights.h"
#include "log/log.h"

namespace master {
Result<PidFile> lock_pid_file(const std::string& directory) {
    std::string path = directory + "/master.pid";
    PidFile file;
    file.fd = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.fd)
        return system_error("open " + path, errno);
    if (flock(file.fd.get(), LOCK_EX | LOCK_NB) == 0)
        return file;
    if (errno != EWOULDBLOCK)
        return system_error("lock " + path, errno);
    file.fd.reset();
    if (Result<std::string> text = read_file(path, 100))
        file.owner = static_cast<pid_t>(bytes::to_int(bytes::trim(*text)).value_or(0));
    return file;
}

static Result<void> write_pid(int fd) {
    if (ftruncate(fd, 0) != 0)
        return system_error("truncate the pid file", errno);
    if (lseek(fd, 0, SEEK_SET) != 0)
        return system_error("seek in the pid file", errno);
    return write_all(fd, fmt::format("{:32}\n", getpid()));
}
Result<void> write_pid(const PidFile& file) { return write_pid(file.fd.get()); }

Result<UniqueFd> lock_instance(const conf::Settings& settings) {
    const std::string path = settings[param::data_directory] + "/master.lock";
    TRY_ASSIGN(conf::Identity owner, conf::mail_owner(settings));
    conf::TakeIdentity as_owner(owner);
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (!fd)
        return system_error("open " + path, errno);
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return system_error("lock " + path, errno);
        fd.reset();
    } else {
        TRY(write_pid(fd.get()));
    }
    return fd;
}

void keep_pid_file(PidFile& file, const std::string& directory) {
    static std::string told;  // what stands in the way, once
    const std::string path = directory + "/master.pid";
    struct stat mine {
    }, there{};
    if (fstat(file.fd.get(), &mine) == 0 && lstat(path.c_str(), &there) == 0 && mine.st_ino == there.st_ino &&
        mine.st_dev == there.st_dev)
        return;
    auto put_back = [&]() -> Result<void> {
        TRY_ASSIGN(PidFile again, lock_pid_file(directory));
        if (!again.fd)
            return temporary(path + ": another process holds it");
        TRY(write_pid(again));
        file = std::move(again);
        return {};
    };
    if (Result<void> done = put_back(); done) {
        told.clear();
        maillog::warning("{} was removed while the mail system runs: it is there again", path);
    } else if (told != done.error().reason) {
        told = done.error().reason;
        maillog::warning("{} was removed while the mail system runs, and cannot be put back: {}", path, told);
    }
}
}
