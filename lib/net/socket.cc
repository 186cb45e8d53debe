#include "net/socket.h"
#include "net/window.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cerrno>
#include "net/stream.h"

namespace net {
namespace {
int window_size = 0;

void use_window_size(int fd) {  // before connect and listen: the window's scale is agreed on in the handshake
    if (window_size <= 0)
        return;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &window_size, sizeof window_size);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window_size, sizeof window_size);
}

Result<UniqueFd> make_socket(int family, int type) {
    UniqueFd fd(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd)
        return system_error("socket", errno);
    return fd;
}

// What is made gets this mode at once: by name it could be another file's by then.
class Mask {
public:
    explicit Mask(unsigned mode) : before_(::umask(0777 & ~mode)) {}
    ~Mask() { ::umask(before_); }
    Mask(const Mask&) = delete;

private:
    mode_t before_;
};

// Makes room at path for a socket or FIFO: an old one goes, anything else stays and is an Error.
Result<void> remove_old(const std::string& path, const char* wanted) {
    struct stat st {};
    if (lstat(path.c_str(), &st) != 0)
        return {};
    if (!S_ISSOCK(st.st_mode) && !S_ISFIFO(st.st_mode))
        return temporary(path + ": exists and is not a " + wanted + "; remove it");
    if (unlink(path.c_str()) != 0 && errno != ENOENT)
        return system_error("remove " + path, errno);
    return {};
}

Result<UniqueFd> bind_unix(const std::string& path, int type, unsigned mode) {
    if (path.size() >= sizeof(sockaddr_un::sun_path))
        return system_error(path, ENAMETOOLONG);
    TRY(remove_old(path, "socket"));
    TRY_ASSIGN(UniqueFd fd, make_socket(AF_UNIX, type));
    Address a = Address::unix_path(path);
    Mask mask(mode);
    if (::bind(fd.get(), a.get(), a.length()) != 0)
        return system_error("bind " + path, errno);
    return fd;
}

Result<UniqueFd> connect_to(UniqueFd fd, const Address& to, loop::Deadline deadline) {
    auto refused = [](int err) { return tl::unexpected(Error{{4, 4, 1}, errno_text(err), err}); };
    for (;;) {
        if (::connect(fd.get(), to.get(), to.length()) == 0 || errno == EISCONN)
            return fd;
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN) {  // UNIX-domain: the backlog is full; there is no event for it
            if (loop::Clock::now() >= deadline)
                return refused(ETIMEDOUT);
            loop::sleep_until(loop::in(std::chrono::milliseconds(2)));
            continue;
        }
        if (errno != EINPROGRESS && errno != EALREADY)
            return refused(errno);
        if (loop::wait_writable(fd.get(), deadline) == loop::Wait::timed_out)
            return refused(ETIMEDOUT);
        int err = 0;
        socklen_t n = sizeof err;
        if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &err, &n) != 0)
            return refused(errno);
        if (err != 0)
            return refused(err);
        return fd;
    }
}

template <class Call> Result<Address> name_of(int fd, Call call, const char* what) {
    sockaddr_storage s{};
    socklen_t n = sizeof s;
    if (call(fd, reinterpret_cast<sockaddr*>(&s), &n) != 0)
        return system_error(what, errno);
    return Address(reinterpret_cast<sockaddr*>(&s), n);
}
}

void set_window_size(int bytes) { window_size = bytes; }

Result<UniqueFd> listen_inet(const Address& address, int backlog) {
    TRY_ASSIGN(UniqueFd fd, make_socket(address.family(), SOCK_STREAM));
    use_window_size(fd.get());
    int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.family() == AF_INET6)
        setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    std::string where = address.host() + " port " + std::to_string(address.port());
    if (::bind(fd.get(), address.get(), address.length()) != 0)
        return system_error("bind " + where, errno);
    if (::listen(fd.get(), backlog) != 0)
        return system_error("listen " + where, errno);
    return fd;
}

Result<UniqueFd> listen_unix(const std::string& path, int backlog, unsigned mode) {
    TRY_ASSIGN(UniqueFd fd, bind_unix(path, SOCK_STREAM, mode));
    if (::listen(fd.get(), backlog) != 0)
        return system_error("listen " + path, errno);
    return fd;
}

Result<UniqueFd> bind_datagram(const std::string& path, unsigned mode) { return bind_unix(path, SOCK_DGRAM, mode); }

Result<UniqueFd> open_fifo(const std::string& path, unsigned mode) {
    TRY(remove_old(path, "FIFO"));
    Mask mask(mode);
    if (mkfifo(path.c_str(), 0777) != 0)
        return system_error("mkfifo " + path, errno);
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    struct stat st {};
    if (!fd || ::fstat(fd.get(), &st) != 0)
        return system_error("open " + path, errno);
    if (!S_ISFIFO(st.st_mode))
        return temporary(path + ": is not the FIFO that was just made");
    return fd;
}

Result<UniqueFd> connect_inet(const Address& to, const Address* from, loop::Deadline deadline) {
    TRY_ASSIGN(UniqueFd fd, make_socket(to.family(), SOCK_STREAM));
    use_window_size(fd.get());
    if (from && ::bind(fd.get(), from->get(), from->length()) != 0)
        return system_error("bind " + from->host(), errno);
    int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return connect_to(std::move(fd), to, deadline);
}

Result<UniqueFd> connect_host(std::string_view host, const std::string& port, int family,
                              std::chrono::nanoseconds each) {
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    Result<std::vector<Address>> found;
    loop::offload([&] { found = resolve(std::string(host), port, family); });
    if (!found)
        return tl::unexpected(found.error());
    Result<UniqueFd> fd = temporary("no address");
    for (const Address& address : *found)
        if (fd = connect_inet(address, nullptr, loop::in(each)); fd)
            break;
    return fd;
}

Result<UniqueFd> connect_unix(const std::string& path, loop::Deadline deadline) {
    if (path.size() >= sizeof(sockaddr_un::sun_path))
        return system_error(path, ENAMETOOLONG);
    TRY_ASSIGN(UniqueFd fd, make_socket(AF_UNIX, SOCK_STREAM));
    return connect_to(std::move(fd), Address::unix_path(path), deadline);
}

Result<UniqueFd> accept_one(int listener, Address& peer) {
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    int fd = accept4(listener, reinterpret_cast<sockaddr*>(&from), &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        switch (errno) {  // what a client did, not what is wrong with us (accept(2))
        case EAGAIN:
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
        case ENETDOWN:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case ETIMEDOUT: return UniqueFd();
        default: return system_error("accept", errno);
        }
    }
    peer = Address(reinterpret_cast<sockaddr*>(&from), length);
    int on = 1;
    if (peer.family() != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return UniqueFd(fd);
}

Result<Address> local_address(int fd) { return name_of(fd, getsockname, "getsockname"); }
Result<Address> peer_address(int fd) { return name_of(fd, getpeername, "getpeername"); }

Result<void> trigger(const std::string& path, std::string_view request, loop::Deadline deadline) {
    struct stat st {};
    if (stat(path.c_str(), &st) != 0)
        return system_error(path, errno);
    UniqueFd fd;
    if (S_ISFIFO(st.st_mode)) {
        fd = UniqueFd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
        if (!fd)
            return system_error("open " + path, errno);
    } else {
        auto connected = connect_unix(path, deadline);
        if (!connected && connected.error().sys_errno == EPROTOTYPE) {  // a datagram service
            TRY_ASSIGN(fd, make_socket(AF_UNIX, SOCK_DGRAM));
            connected = connect_to(std::move(fd), Address::unix_path(path), deadline);
        }
        if (!connected)
            return tl::unexpected(std::move(connected.error()));
        fd = std::move(*connected);
    }
    Stream s(std::move(fd));
    TRY(s.write(request));
    return s.flush(deadline);
}
}
