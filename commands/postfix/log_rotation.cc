// postfix logrotate: moves maillog_file aside under a name with the time in it, has postlogd write a new one, and
// compresses the old.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <thread>
#include "actions.h"
#include "base/fd.h"
#include "conf/params/commands.h"
#include "log/log.h"

using namespace std::chrono_literals;

namespace postfix {
namespace {
int fail(const std::string& text) {
    maillog::write(maillog::Level::fatal, text);
    return 1;
}

// postlogd locks the file that it writes: when the lock is free, nobody writes there any more.
bool nobody_writes(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    for (auto end = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < end;
         std::this_thread::sleep_for(50ms))
        if (fd && flock(fd.get(), LOCK_EX | LOCK_NB) == 0)
            return true;
    return false;
}

int compress(const std::string& compressor, const std::string& path) {
    pid_t child = fork();
    if (child < 0)
        return 1;
    if (child == 0) {
        execlp(compressor.c_str(), compressor.c_str(), path.c_str(), static_cast<char*>(nullptr));
        _exit(127);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
}

int logrotate(const System& s) {
    const std::string& file = s.settings[param::maillog_file];
    if (file.empty())
        return fail("maillog_file is not set: there is no file to rotate");
    if (file.starts_with("/dev/"))
        return fail("will not rotate \"" + file + "\"");
    char suffix[200];
    std::time_t now = std::time(nullptr);
    tm parts{};
    localtime_r(&now, &parts);
    if (std::strftime(suffix, sizeof suffix, s.settings[param::maillog_file_rotate_suffix].c_str(), &parts) == 0)
        return fail("maillog_file_rotate_suffix: it gives no suffix");
    std::string old = file + "." + suffix;
    struct stat st {};
    if (stat(file.c_str(), &st) != 0)
        return fail(file + ": " + errno_text(errno));
    if (lstat(old.c_str(), &st) == 0)
        return fail(old + " exists already");
    if (rename(file.c_str(), old.c_str()) != 0)
        return fail("rename " + file + ": " + errno_text(errno));
    if (pid_t pid = running_master(s))
        kill(pid, SIGHUP);
    if (!nobody_writes(old))
        return fail(old + ": it is still written to, and was not compressed");
    if (compress(s.settings[param::maillog_file_compressor], old) != 0)
        return fail(s.settings[param::maillog_file_compressor] + " " + old + ": it failed");
    return 0;
}
}
