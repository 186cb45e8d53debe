#include "dns/channel.h"
#include <ares.h>
#include <poll.h>
#include <algorithm>
#include <mutex>

namespace dns {
struct Channel::Cell {  // owned by c-ares' callback and by the frame that waits, whichever goes last
    bool done = false;
    loop::Fiber* waiter = nullptr;
    int status = ARES_ETIMEOUT;
    std::string raw;
};

namespace {
using Milliseconds = std::chrono::milliseconds;
constexpr int no_socket = ARES_SOCKET_BAD;

void initialise_library() {
    static std::once_flag once;
    std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
}
}

Channel::Channel(event_base* base, const System& system) : base_(base) {
    initialise_library();
    ares_options o{};
    o.timeout = static_cast<int>(system.timeout.count());
    o.tries = system.attempts;
    o.sock_state_cb = socket_state;
    o.sock_state_cb_data = this;
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | (system.rotate ? ARES_OPT_ROTATE : ARES_OPT_NOROTATE);
    if (base_)
        mask |= ARES_OPT_SOCK_STATE_CB;
    if (ares_init_options(&channel_, &o, mask) != ARES_SUCCESS) {
        channel_ = nullptr;
        return;
    }
    std::string list;
    for (const std::string& server : system.servers)
        list += (list.empty() ? "" : ",") + server;
    ares_set_servers_ports_csv(channel_, list.c_str());
    if (base_)
        timer_ = event_new(
            base_, -1, 0, [](int, short, void* me) { static_cast<Channel*>(me)->process(no_socket, no_socket); }, this);
}

Channel::~Channel() {
    if (channel_)
        ares_destroy(channel_);  // ends what is in flight: each callback then finds its frame gone or wakes it
    for (auto& [fd, watched] : sockets_)
        event_free(watched);
    if (timer_)
        event_free(timer_);
}

void Channel::rearm() {
    timeval wait;
    if (timeval* next = ares_timeout(channel_, nullptr, &wait))
        event_add(timer_, next);
    else
        event_del(timer_);
}

void Channel::process(int readable, int writable) {
    ares_process_fd(channel_, readable, writable);
    rearm();
}

void Channel::ready(int fd, short what, void* context) {
    static_cast<Channel*>(context)->process(what & EV_READ ? fd : no_socket, what & EV_WRITE ? fd : no_socket);
}

void Channel::socket_state(void* context, int fd, int readable, int writable) {
    auto* me = static_cast<Channel*>(context);
    if (auto it = me->sockets_.find(fd); it != me->sockets_.end()) {
        event_free(it->second);
        me->sockets_.erase(it);
    }
    if (!readable && !writable)
        return;
    auto what = static_cast<short>((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0) | EV_PERSIST);
    event* watched = event_new(me->base_, fd, what, ready, me);
    event_add(watched, nullptr);
    me->sockets_[fd] = watched;
}

void Channel::answered(void* context, int status, int, unsigned char* bytes, int length) {
    std::unique_ptr<std::shared_ptr<Cell>> cell(static_cast<std::shared_ptr<Cell>*>(context));
    (*cell)->done = true;
    (*cell)->status = status;
    if (bytes)
        (*cell)->raw.assign(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(length));
    if ((*cell)->waiter)
        loop::loop()->wake(*(*cell)->waiter);
}

void Channel::wait_in_fiber(const std::shared_ptr<Cell>& cell, loop::Deadline deadline) {
    struct Leave {
        Cell& cell;
        ~Leave() { cell.waiter = nullptr; }
    } leave{*cell};  // the frame goes first: the callback then wakes nobody
    rearm();
    cell->waiter = loop::current();
    while (!cell->done && loop::loop()->park_until(deadline) == loop::Wait::ready) {}
}

void Channel::wait_blocking(const std::shared_ptr<Cell>& cell, loop::Deadline deadline) {
    while (!cell->done) {
        auto left = deadline == loop::never ? Milliseconds(60000)
                                            : std::chrono::ceil<Milliseconds>(deadline - loop::Clock::now());
        if (left.count() <= 0)
            return;
        ares_socket_t fds[ARES_GETSOCK_MAXNUM];
        int wanted = ares_getsock(channel_, fds, ARES_GETSOCK_MAXNUM);
        pollfd polled[ARES_GETSOCK_MAXNUM];
        nfds_t n = 0;
        for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
            auto events = static_cast<short>((ARES_GETSOCK_READABLE(wanted, i) ? POLLIN : 0) |
                                             (ARES_GETSOCK_WRITABLE(wanted, i) ? POLLOUT : 0));
            if (events)
                polled[n++] = {fds[i], events, 0};
        }
        timeval wait;
        if (timeval* next = ares_timeout(channel_, nullptr, &wait))
            left = std::min(left, Milliseconds(next->tv_sec * 1000 + next->tv_usec / 1000 + 1));
        if (poll(polled, n, static_cast<int>(left.count())) <= 0)
            ares_process_fd(channel_, no_socket, no_socket);
        else
            for (nfds_t i = 0; i < n; ++i)
                if (polled[i].revents)
                    ares_process_fd(channel_, polled[i].revents & ~POLLOUT ? polled[i].fd : no_socket,
                                    polled[i].revents & POLLOUT ? polled[i].fd : no_socket);
    }
}

Result<std::string> Channel::ask(const std::string& raw, loop::Deadline deadline) {
    auto cell = std::make_shared<Cell>();
    auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
    ares_send(channel_, bytes, static_cast<int>(raw.size()), answered,
              new std::shared_ptr<Cell>(cell));  // may call back at once
    if (base_)
        wait_in_fiber(cell, deadline);
    else
        wait_blocking(cell, deadline);
    if (cell->done && (cell->status == ARES_SUCCESS || !cell->raw.empty()))
        return std::move(cell->raw);
    return ::temporary(ares_strerror(cell->done ? cell->status : ARES_ETIMEOUT), {4, 4, 3});
}
}
