#include "ticket_keys.h"
#include <ctime>
#include "base/bytes.h"
#include "random.h"

namespace tlsmgr {
ipc::TlsTicketKeysReply TicketKeys::keys(std::int64_t now) {
    while (!keys_.empty() && now - keys_.back().made >= 3 * interval_)
        keys_.pop_back();
    if (keys_.empty() || now - keys_.front().made >= interval_) {
        auto octets = [](std::size_t n) { return bytes::base64_encode(random_octets(n)); };
        keys_.push_front({now, {octets(16), octets(32), octets(32), 0}});
        if (keys_.size() > known_max)
            keys_.pop_back();
    }
    ipc::TlsTicketKeysReply reply;
    for (const Key& k : keys_) {
        reply.keys.push_back(k.key);
        reply.keys.back().expires = std::time(nullptr) + k.made + interval_ - now;
    }
    return reply;
}
}
