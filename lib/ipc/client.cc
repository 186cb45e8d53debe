#include "ipc/client.h"
#include "conf/params/global.h"
#include "net/socket.h"

namespace ipc {
static constexpr std::size_t idle_most = 64;  // after a burst the others' places at the service are free again

Client::Client(std::string path, const conf::Settings& settings)
    : Client(std::move(path), settings[param::ipc_timeout]) {
    idle_time_ = settings[param::ipc_idle];
    ttl_ = settings[param::ipc_ttl];
}
Client::Client(std::string path, std::chrono::seconds timeout) : path_(std::move(path)), timeout_(timeout) {}

Client::Lease::Lease(Client& owner, std::unique_ptr<net::Stream> stream, loop::Clock::time_point made, bool fresh)
    : owner_(&owner), stream_(std::move(stream)), made_(made), fresh_(fresh) {}

Client::Lease::~Lease() {
    if (!stream_ || !keep_ || owner_->idle_.size() >= idle_most)
        return;
    stream_->release_buffers();
    owner_->idle_.push_back({std::move(stream_), made_, loop::Clock::now()});
}

void Client::close_idle() { idle_.clear(); }

Result<Client::Lease> Client::borrow(bool only_fresh) {
    auto now = loop::Clock::now();
    std::erase_if(idle_, [&](const Idle& i) { return now - i.since > idle_time_ || now - i.made > ttl_; });
    while (!only_fresh && !idle_.empty()) {
        Idle i = std::move(idle_.back());
        idle_.pop_back();
        if (i.stream->peek().empty() && !i.stream->at_end())
            return Lease(*this, std::move(i.stream), i.made, false);
    }
    auto fd = net::connect_unix(path_, loop::in(timeout_));
    if (!fd)
        return failed(fd.error());
    return Lease(*this, std::make_unique<net::Stream>(std::move(*fd)), now, true);
}

Failure Client::failed(const Error& why) const {
    return Failure(Error{{4, 3, 0}, "service " + path_ + ": " + why.reason, why.sys_errno});
}
}
