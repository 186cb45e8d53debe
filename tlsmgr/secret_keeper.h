// tlsmgr's answers: one request at a time on a connection, any number of connections, one process for all.
#pragma once
#include <memory>
#include <string_view>
#include "conf/settings.h"
#include "ipc/tlsmgr.h"
#include "net/stream.h"
#include "random.h"
#include "session_cache.h"
#include "ticket_keys.h"

namespace tlsmgr {
class SecretKeeper {
public:
    // Before the jail: opens files as $mail_owner.
    explicit SecretKeeper(const conf::Settings& settings);
    // Until the peer closes or says something that is no request.
    void serve(net::Stream& peer);
    // Sweeps, reseeds and saves at their times, for the life of the process.
    void keep_house();
    void save_randomness() { pool_.save(); }  // at the end: the next process goes on from there

private:
    SessionCache* cache(std::string_view name);
    bool answer(net::Stream& peer, const ipc::Incoming& request);
    conf::Settings settings_;
    RandomPool pool_;
    TicketKeys ticket_keys_;
    std::vector<std::unique_ptr<SessionCache>> caches_;
};
}
