#include "anvil_link.h"
#include <algorithm>
#include <utility>

namespace smtpd {
static constexpr std::size_t batch_most = 64;

void AnvilLink::close() {
    lease_.reset();
    gone_.clear();
    ++serial_;
}

Result<void> AnvilLink::connect() {
    if (lease_ && (*lease_)->peek().empty() && !(*lease_)->at_end())
        return {};
    close();
    TRY_ASSIGN(ipc::Client::Lease fresh, client_.borrow(true));
    lease_.emplace(std::move(fresh));
    return {};
}

Result<ipc::AnvilReply> AnvilLink::exchange(std::string_view request, const std::string& ident,
                                            loop::Deadline deadline) {
    TRY(connect());
    net::Stream& stream = lease_->stream();
    const std::vector<std::string> gone = std::exchange(gone_, {});
    for (std::size_t done = 0; done < gone.size();) {  // no more at once than the answers have room for on their way
        const std::size_t batch = std::min(gone.size() - done, batch_most);
        for (std::size_t i = 0; i < batch; ++i)
            TRY(ipc::send(stream, ipc::AnvilRequest{"disconnect", gone[done + i]}, deadline));
        for (std::size_t i = 0; i < batch; ++i)
            TRY(ipc::receive<ipc::AnvilReply>(stream, deadline));
        done += batch;
    }
    TRY(ipc::send(stream, ipc::AnvilRequest{std::string(request), ident}, deadline));
    auto reply = ipc::receive<ipc::AnvilReply>(stream, deadline);
    stream.release_buffers();
    return reply;
}

Result<ipc::AnvilReply> AnvilLink::ask(std::string_view request, const std::string& ident) {
    const loop::Deadline deadline = loop::in(patience_);
    while (busy_)
        if (free_.wait(deadline) == loop::Wait::timed_out && busy_)
            return temporary("timeout");
    struct Turn {  // whatever ends it: a reply that was not read must not meet the next request
        AnvilLink& link;
        bool whole = false;
        explicit Turn(AnvilLink& l) : link(l) { link.busy_ = true; }
        ~Turn() {
            if (!whole)
                link.close();
            link.busy_ = false;
            link.free_.notify_one();
        }
    } turn(*this);
    auto reply = exchange(request, ident, deadline);
    turn.whole = reply.has_value();
    return reply;
}

void AnvilLink::disconnected(std::string ident, std::uint64_t serial, bool now) {
    if (serial != serial_ || !lease_)
        return;
    if (now && !busy_) {
        (void)ask("disconnect", ident);
        return;
    }
    gone_.push_back(std::move(ident));
}
}
