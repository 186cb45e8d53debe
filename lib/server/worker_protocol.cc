#include "server/worker_protocol.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace server::worker {
bool send(int channel, std::string_view message, int descriptor) {
    message = message.substr(0, message_size);
    iovec piece{const_cast<char*>(message.data()), message.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr m{};
    m.msg_iov = &piece;
    m.msg_iovlen = 1;
    if (descriptor >= 0) {
        m.msg_control = control;
        m.msg_controllen = sizeof control;
        cmsghdr* c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof descriptor);
        std::memcpy(CMSG_DATA(c), &descriptor, sizeof descriptor);
    }
    ssize_t n;
    do
        n = ::sendmsg(channel, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n >= 0;
}

bool receive(int channel, std::string& message, bool& closed, UniqueFd* passed) {
    char buffer[message_size];
    iovec piece{buffer, sizeof buffer};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr m{};
    m.msg_iov = &piece;
    m.msg_iovlen = 1;
    if (passed) {
        m.msg_control = control;
        m.msg_controllen = sizeof control;
    }
    ssize_t n;
    do
        n = ::recvmsg(channel, &m, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    closed = n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
    if (n <= 0)
        return false;
    message.assign(buffer, static_cast<std::size_t>(n));
    for (cmsghdr* c = passed ? CMSG_FIRSTHDR(&m) : nullptr; c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(c), sizeof fd);
        *passed = UniqueFd(fd);
        (void)set_close_on_exec(fd);
    }
    return true;
}

Result<std::pair<UniqueFd, UniqueFd>> make_channel() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        return system_error("socketpair", errno);
    return std::pair{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Result<UniqueFd> make_memory([[maybe_unused]] const char* name, std::size_t size) {
#ifdef MFD_CLOEXEC
    UniqueFd fd(memfd_create(name, MFD_CLOEXEC));
#else
    char path[] = "/tmp/posthornXXXXXX";
    UniqueFd fd(mkstemp(path));
    if (fd) {
        unlink(path);
        fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
    }
#endif
    if (!fd)
        return system_error("make shared memory", errno);
    if (size > 0 && ftruncate(fd.get(), static_cast<off_t>(size)) != 0)
        return system_error("make shared memory", errno);
    return fd;
}
}
