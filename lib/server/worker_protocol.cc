#include "server/worker_protocol.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>

namespace server::worker {
bool send(int channel, std::string_view message) {
    message = message.substr(0, message_size);
    ssize_t n;
    do n = ::send(channel, message.data(), message.size(), MSG_NOSIGNAL); while (n < 0 && errno == EINTR);
    return n >= 0;
}

bool receive(int channel, std::string& message, bool& closed) {
    char buffer[message_size];
    ssize_t n;
    do n = ::recv(channel, buffer, sizeof buffer, MSG_DONTWAIT); while (n < 0 && errno == EINTR);
    closed = n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
    if (n <= 0) return false;
    message.assign(buffer, static_cast<std::size_t>(n));
    return true;
}

Result<std::pair<UniqueFd, UniqueFd>> make_channel() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) return system_error("socketpair", errno);
    return std::pair{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Result<UniqueFd> make_memory([[maybe_unused]] const char* name, std::size_t size) {
#ifdef MFD_CLOEXEC
    UniqueFd fd(memfd_create(name, MFD_CLOEXEC));
#else
    char path[] = "/tmp/posthornXXXXXX";
    UniqueFd fd(mkstemp(path));
    if (fd) { unlink(path); fcntl(fd.get(), F_SETFD, FD_CLOEXEC); }
#endif
    if (!fd) return system_error("make shared memory", errno);
    if (size > 0 && ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return system_error("make shared memory", errno);
    return fd;
}
}
