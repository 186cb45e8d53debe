// What becomes of the recipients of one request, host by host: what a host refuses for now is held against them until
// the next one was tried; what the last one says holds.
//
// When things fail: temporary trouble with a host that is not the last is one log line; with the last one, and for good
// at any, every recipient concerned gets its disposition. None is left over.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "delivery/job.h"
#include "hello.h"
#include "peer.h"

namespace smtp {
struct Flags {
    bool delivered_to = false, original_to = false, return_path = false, final_delivery = false;
};  // flags=DORX

class Dispositions {
public:
    using Recipients = std::vector<delivery::JobRecipient*>;
    Dispositions(const Config& config, const Flags& flags, delivery::Job& job)
        : config_(config), flags_(flags), job_(job) {}
    const Flags& flags() const { return flags_; }

    Recipients left() const;
    bool any_left() const { return !left().empty(); }
    // Nothing comes after the host that is being tried.
    bool last_host() const { return last_host_; }
    void set_last_host(bool last) { last_host_ = last; }

    void delivered(delivery::JobRecipient& recipient, const Peer& peer, const Reply& reply);
    // The whole rest, or one recipient, could not be delivered to this peer.
    void fail(const Error& why, const Peer& peer, std::string_view diagnostic, delivery::JobRecipient* only = nullptr);
    // The same before there is a connection. tls: what the log says of it.
    void fail(const Error& why, std::string_view tls);
    // As fail(), where the destination itself is at fault; logged already or not worth a line while there are other
    // hosts.
    void unreachable(const Error& why, std::string_view tls);
    // REQUIRETLS is not met at this host (peer: null where it was not asked): the next one may do better. Where none is
    // left the message goes back, unless some host could not be asked.
    void pass_over(Refusal refusal, const Peer* peer, std::string_view tls);
    // No host of the destination has taken as much as MAIL so far; one has.
    void site_failed(const Error& why) { site_failure_ = why; }
    void site_works() { site_failure_.reset(); }

    // flags=D: the message has been delivered to this recipient before.
    void return_looping();
    // After the last destination.
    void conclude();

private:
    // What is held against a recipient until another host has been tried.
    struct Held {
        Error why;
        std::string diagnostic, relay, mta, tls;
        int uses = 0;
        base::WallTime connected{};
    };
    static Held held(const Error& why, const Peer& peer, std::string_view diagnostic);
    static Held held(const Error& why, std::string_view tls);
    void take(const Held& held, const Recipients& recipients);
    void settle(delivery::JobRecipient& recipient, const Held& held) { job_.failed(recipient, event(held)); }
    delivery::Event event(const Held& held) const;

    const Config& config_;
    const Flags& flags_;
    delivery::Job& job_;
    bool last_host_ = false;
    std::map<const delivery::JobRecipient*, Held> held_;
    std::optional<Error> site_failure_;
};
}
