#include "kept.h"
#include <fmt/format.h>
#include "base/bytes.h"

namespace smtp {
namespace {
// Whatever a server says on its own means that it is leaving.
bool usable(Peer& peer) { return peer.stream().peek().empty() && !peer.stream().at_end(); }
}

std::string Kept::destination_key(const Destination& d, const tls::Policy& policy) {
    return fmt::format("to\n{}\n{}\n{}\n{} {}", bytes::lowered(d.host), d.port, d.exchangers,
                       static_cast<int>(policy.level), tls::demand_of(policy, "").description());
}
std::string Kept::endpoint_key(const Endpoint& e, const tls::Demand& demand) {
    return fmt::format("at\n{}\n{}\n{}", e.label_with_port(), static_cast<int>(demand.policy_level),
                       demand.description());
}

void Kept::put(std::unique_ptr<Peer> peer, std::string destination) {
    if (list_.size() >= limit) {
        auto oldest = std::move(list_.front().peer);
        list_.pop_front();
        oldest->farewell();
    }
    peer->stream().release_buffers();
    loop::Deadline until = std::min(loop::in(time_), peer->reuse.expires);
    list_.push_back({std::move(peer), std::move(destination), until});
    more_.notify_all();
}

std::unique_ptr<Peer> Kept::take(const std::string& key, const std::set<std::string>& tried) {
    for (auto it = list_.end(); it != list_.begin();) {
        --it;
        if (it->destination != key && it->peer->reuse.key != key)
            continue;
        if (!tried.empty() && tried.contains(it->peer->endpoint.label_with_port()))
            continue;
        auto peer = std::move(it->peer);
        bool fresh = loop::Clock::now() < it->until;
        it = list_.erase(it);
        if (fresh && usable(*peer))
            return peer;
        if (fresh)
            peer->broken = true;  // the server left first: no QUIT
        peer->farewell();         // may wait: look from the end again
        it = list_.end();
    }
    return nullptr;
}

void Kept::keep_house() {
    for (;;) {
        loop::Deadline next = loop::never;
        for (auto it = list_.begin(); it != list_.end();) {
            if (it->until > loop::Clock::now()) {
                next = std::min(next, it->until);
                ++it;
                continue;
            }
            auto peer = std::move(it->peer);
            list_.erase(it);
            peer->farewell();
            it = list_.begin();
        }
        if (list_.empty())
            next = loop::never;
        more_.wait(next);
    }
}
}
