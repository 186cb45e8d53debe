#include "drop_file.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstdio>
#include <cstring>

namespace postdrop {
namespace {
constexpr unsigned complete_mode = 0744;  // pickup runs as another user and must read it
char unfinished[256];                     // path for the signal handler; "" when there is none

void remember(const std::string& path) {
    if (path.size() < sizeof unfinished)
        std::memcpy(unfinished, path.c_str(), path.size() + 1);
}

extern "C" void on_signal(int number) {
    if (unfinished[0])
        ::unlink(unfinished);
    ::signal(number, SIG_DFL);
    ::raise(number);
}
}

void remove_unfinished() {
    if (unfinished[0])
        ::unlink(unfinished);
    unfinished[0] = 0;
}

void remove_on_signals() {
    std::atexit(remove_unfinished);
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGXFSZ, SIG_IGN);
    for (int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) {
        struct sigaction old {
        }, now{};
        ::sigaction(number, nullptr, &old);
        if (old.sa_handler == SIG_IGN && number == SIGHUP)
            continue;  // nohup
        now.sa_handler = on_signal;
        ::sigaction(number, &now, nullptr);
        sigset_t set;
        ::sigemptyset(&set);
        ::sigaddset(&set, number);
        ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
    }
}

DropFile::DropFile(UniqueFd fd, mail::QueueId id, base::WallTime created)
    : fd_(std::move(fd)), id_(std::move(id)), created_(created) {}
DropFile::DropFile(DropFile&& o) noexcept
    : fd_(std::move(o.fd_)),
      id_(std::move(o.id_)),
      created_(o.created_),
      buffer_(std::move(o.buffer_)),
      written_(o.written_),
      open_(std::exchange(o.open_, false)) {}

DropFile::~DropFile() {
    if (!open_)
        return;
    ::unlink(("maildrop/" + id_.text()).c_str());
    unfinished[0] = 0;
}

Result<DropFile> DropFile::create(bool long_id) {
    for (int attempt = 0; attempt < 1000; ++attempt) {
        const base::WallTime now = base::wall_now();
        const std::string temporary_name =
            "maildrop/" + std::to_string(now.microseconds) + "." + std::to_string(::getpid());
        remember(temporary_name);
        UniqueFd fd(::open(temporary_name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
        if (!fd) {
            const int error = errno;
            unfinished[0] = 0;
            if (error == EEXIST || error == EINTR)
                continue;
            return system_error("create file " + temporary_name, error);
        }
        struct stat st {};
        if (::fstat(fd.get(), &st) != 0)
            return system_error("fstat " + temporary_name, errno);
        mail::QueueId id = mail::QueueId::make(now, st.st_ino, long_id);
        const std::string name = "maildrop/" + id.text();
        // link and unlink: rename would replace a message that is there.
        if (::link(temporary_name.c_str(), name.c_str()) != 0) {
            const int error = errno;
            ::unlink(temporary_name.c_str());
            if (error == EEXIST)
                continue;
            return system_error("create file " + name, error);
        }
        ::unlink(temporary_name.c_str());
        remember(name);
        return DropFile(std::move(fd), std::move(id), now);
    }
    return system_error("create file in maildrop", EEXIST);
}

Result<void> DropFile::flush() {
    TRY(write_all(fd_.get(), buffer_));
    written_ += static_cast<std::int64_t>(buffer_.size());
    buffer_.clear();
    return {};
}

Result<void> DropFile::put(std::string_view records) {
    buffer_ += records;
    return buffer_.size() < 65536 ? Result<void>() : flush();
}

Result<void> DropFile::commit() {
    TRY(flush());
    // pickup takes it only when it is on disk: see queue/new_file.h.
    if (::flock(fd_.get(), LOCK_EX) != 0)
        return system_error("flock", errno);
    if (::fchmod(fd_.get(), complete_mode) != 0)
        return system_error("fchmod", errno);
    if (::fsync(fd_.get()) != 0)
        return system_error("fsync", errno);
    TRY(fd_.close_checked());
    open_ = false;
    unfinished[0] = 0;
    return {};
}
}
