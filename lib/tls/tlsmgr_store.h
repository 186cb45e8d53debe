// The session store that tlsmgr keeps for all processes.
//
// When things fail: TLS goes on without resumption; one warning, and tlsmgr is not asked again for half a minute.
#pragma once
#include "conf/settings.h"
#include "ipc/client.h"
#include "tls/context.h"

namespace tls {
class TlsmgrStore final : public SessionStore {
public:
    // cache: "smtpd", "smtp" or "lmtp"; keep_sessions: that side's session cache database is set (without: ticket keys
    // alone).
    TlsmgrStore(const conf::Settings& settings, std::string cache, bool keep_sessions);
    std::optional<std::string> find(std::string_view id) override;
    void save(std::string_view id, std::string_view session) override;
    void remove(std::string_view id) override;
    std::vector<TicketKey> ticket_keys() override;
    // Stirs some of tlsmgr's randomness into the library's (tls_daemon_random_bytes). Once, at start, from a fiber.
    void seed();

private:
    template <class Reply, class Request> std::optional<Reply> ask(const Request& request);
    ipc::Client client_;
    std::string cache_;
    bool keep_sessions_;
    std::int64_t seed_size_;
    loop::Deadline quiet_until_{};
};
}
