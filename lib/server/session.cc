// One connection of a daemon, whatever the loop around it: what a client may send, and what must not escape.
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <exception>
#include <new>
#include "conf/params/commands.h"
#include "ipc/attributes.h"
#include "log/log.h"
#include "server/state.h"

namespace server {
namespace {
constexpr std::size_t trigger_size = 1024;

// A trigger sends a few bytes and closes; an attribute list begins with the name of an attribute, in small letters.
void serve_trigger(net::Stream& stream) {
    Result<std::string_view> got = stream.read_some(trigger_size, loop::in(settings()[param::trigger_timeout]));
    if (!got || got->empty())
        return;
    std::string request(*got);
    // Postfix's postkick writes a NUL behind it, in a call of its own: a signal ends it where we have closed by then.
    if (request.back() != '\0')
        (void)stream.wait_readable(loop::in(std::chrono::seconds(1)));
    stream.close();
    state.daemon->triggered(request);
}

// True where the client's first byte is that of an attribute list. A client that sends nothing is neither: it is left
// to serve().
bool begins_as_list(net::Stream& stream) {
    for (loop::Deadline d = loop::in(settings()[param::trigger_timeout]);;) {
        std::string_view have = stream.peek();
        if (!have.empty())
            return have.front() >= 'a' && have.front() <= 'z';
        if (stream.at_end())
            return false;
        if (stream.wait_readable(d) == loop::Wait::timed_out)
            return true;
    }
}

// What a broken daemon could do by asking as another one does: it can reach every socket, as mail_owner, but is known
// by its process.
bool admitted(int client) {
    const Daemon& daemon = *state.daemon;
    if (!daemon.may_ask || !state.programs.known() || state.arguments.type != "unix")
        return true;
#ifdef SO_PEERCRED
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid == 0 || peer.pid == ::getppid())
        return true;
    // A process asks soon after its start, perhaps before master could write it down.
    std::string_view program = state.programs.of(peer.pid);
    for (int tries = 0; program.empty() && tries < 20; program = state.programs.of(peer.pid), ++tries)
        loop::sleep_until(loop::in(std::chrono::milliseconds(50)));
    // With best_mx_transport a process asks delivery agents as qmgr does.
    if (daemon.may_ask(program) || (state.programs.passes_on(peer.pid) && daemon.may_ask("qmgr")))
        return true;
    maillog::warning("a connection is refused: {} (process {}, user {}) has nothing to ask here",
                     program.empty() ? "no daemon of this mail system" : program, peer.pid, peer.uid);
    return false;
#else
    return true;
#endif
}

void serve_stream(net::Stream& stream, const net::Address& peer) {
    const Daemon& daemon = *state.daemon;
    if (!daemon.announces.empty()) {  // a new connection has room for it; who sent a trigger may have gone, and is read
                                      // all the same
        const std::string first = ipc::announcement(daemon.announces);
        (void)!::send(stream.fd(), first.data(), first.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (daemon.triggered && (!daemon.serve || !begins_as_list(stream)))
        return serve_trigger(stream);
    Connection connection{stream, peer};
    try {
        if (daemon.serve)
            daemon.serve(connection);
    } catch (const std::bad_alloc&) {
        if (!stream.layer())
            turn_away(stream.fd());
        throw;
    }
}
}

void turn_away(int fd) {
    if (!state.daemon->no_memory)
        return;
    const std::string& text = state.daemon->no_memory();
    (void)!::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void serve_connection(UniqueFd fd, const net::Address& peer) {
    try {
        if (!admitted(fd.get()))
            return;
        net::Stream stream(std::move(fd));
        if (state.kind != Kind::pass)
            return serve_stream(stream, peer);
        Result<UniqueFd> passed = stream.receive_descriptor(loop::in(std::chrono::seconds(10)));
        if (!passed)
            return;
        stream.close();
        net::Stream client(std::move(*passed));
        Result<net::Address> who = net::peer_address(client.fd());
        serve_stream(client, who ? *who : net::Address());
    } catch (const std::exception& e) {
        try {
            maillog::warning("a session ended: {}", e.what());
        } catch (const std::bad_alloc&) {}
    }
}

void read_fifo(int fd) {
    char buffer[trigger_size];
    ssize_t n;
    while ((n = ::read(fd, buffer, sizeof buffer)) > 0) {
        try {
            if (state.daemon->triggered)
                state.daemon->triggered(std::string_view(buffer, static_cast<std::size_t>(n)));
        } catch (const std::exception& e) {
            maillog::warning("a request ended: {}", e.what());
        }
    }
}

void read_datagrams(int fd) {
    static char buffer[65536];
    ssize_t n;
    try {
        while ((n = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) >= 0 || errno == EINTR)
            if (n >= 0 && state.daemon->datagram)
                state.daemon->datagram(std::string_view(buffer, static_cast<std::size_t>(n)));
        if (state.daemon->datagrams_end)
            state.daemon->datagrams_end();
    } catch (const std::exception& e) {
        maillog::warning("a request ended: {}", e.what());
    }
}
}
