// Kept connections to one service: asking costs one write and one read. Any number of fibers may ask at once; each has
// a connection of its own meanwhile, and idle ones are used again, the latest first.
//
//     ipc::Client rewrite("private/rewrite", settings);
//     Result<ipc::ResolveReply> reply = rewrite.ask<ipc::ResolveReply>(request);
//
// When things fail: an Error 4.3.0 that names the service. A kept connection that the service closed meanwhile is
// replaced without notice; a request whose answer did not come is sent once more only when its type says `repeatable`.
#pragma once
#include <memory>
#include <string>
#include <vector>
#include "conf/settings.h"
#include "ipc/attributes.h"

namespace ipc {
class Client {
public:
    // path: below the queue directory, which is every daemon's working directory ("private/rewrite", "public/cleanup").
    // Timeouts from ipc_timeout, ipc_idle, ipc_ttl.
    Client(std::string path, const conf::Settings& settings);
    explicit Client(std::string path, std::chrono::seconds timeout = std::chrono::seconds(3600));

    // A connection for a longer conversation. It goes back to the idle ones only after keep().
    class Lease {
    public:
        Lease(Client& owner, std::unique_ptr<net::Stream> stream, loop::Clock::time_point made, bool fresh);
        Lease(Lease&&) = default;
        ~Lease();
        net::Stream& stream() { return *stream_; }
        net::Stream* operator->() { return stream_.get(); }
        bool fresh() const { return fresh_; }
        void keep() { keep_ = true; }

    private:
        Client* owner_;
        std::unique_ptr<net::Stream> stream_;
        loop::Clock::time_point made_;
        bool fresh_, keep_ = false;
    };
    Result<Lease> borrow(bool only_fresh = false);
    loop::Deadline deadline() const { return loop::in(timeout_); }
    const std::string& path() const { return path_; }
    void close_idle();

    template <class Reply, class Request> Result<Reply> ask(const Request& request) {
        constexpr bool repeatable = requires { Request::repeatable; };
        for (bool again = false;; again = true) {
            TRY_ASSIGN(Lease lease, borrow(again));
            Result<Reply> reply = exchange<Reply>(lease, request);
            if (reply) {
                lease.keep();
                return reply;
            }
            if (again || lease.fresh() || !repeatable)
                return failed(reply.error());
        }
    }

private:
    template <class Reply, class Request> Result<Reply> exchange(Lease& lease, const Request& request) {
        net::Stream& s = lease.stream();
        if constexpr (is_announced<Request>)
            if (lease.fresh())
                TRY(expect_announcement(s, Request::protocol, deadline()));
        TRY(send(s, request, deadline()));
        TRY(s.flush(deadline()));
        return receive<Reply>(s, deadline());
    }
    Failure failed(const Error& why) const;

    struct Idle {
        std::unique_ptr<net::Stream> stream;
        loop::Clock::time_point made, since;
    };
    std::string path_;
    std::chrono::seconds timeout_, idle_time_{5}, ttl_{1000};
    std::vector<Idle> idle_;
};
}
