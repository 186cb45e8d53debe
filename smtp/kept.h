// Connections that stay open for the next message to the same place: by destination (the look-up of its hosts is saved
// too), and by host. One for each of a few seconds; a fiber closes what nobody took.
#pragma once
#include <list>
#include <memory>
#include <set>
#include <string>
#include "loop/loop.h"
#include "peer.h"

namespace smtp {
class Kept {
public:
    static constexpr std::size_t limit = 500;
    explicit Kept(Seconds time) : time_(time) {}
    static std::string destination_key(const Destination& destination, const tls::Policy& policy);
    static std::string endpoint_key(const Endpoint& endpoint, const tls::Demand& demand);

    // destination: "" where the host is not the destination's best.
    void put(std::unique_ptr<Peer> peer, std::string destination);
    // The latest that was put under this key as destination or endpoint, is still open, and does not lead to one of the
    // hosts that were tried (by label_with_port()): what they could not do a moment ago they cannot do now. Null where
    // there is none.
    std::unique_ptr<Peer> take(const std::string& key, const std::set<std::string>& tried);
    // For the life of the process, in a fiber of its own.
    void keep_house();
    std::size_t size() const { return list_.size(); }

private:
    struct Entry {
        std::unique_ptr<Peer> peer;
        std::string destination;
        loop::Deadline until;
    };
    Seconds time_;
    std::list<Entry> list_;  // oldest first
    loop::Condition more_;
};
}
