// MTA-STS (RFC 8461) as the client sees it: what the policy service knows of a destination becomes a TLS policy (tls/policy.h).
//
// When things fail: the service cannot be asked: one warning, and mail goes as without MTA-STS for half a minute before it is asked again.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include "conf/settings.h"
#include "ipc/client.h"
#include "ipc/mta_sts.h"
#include "tls/policy.h"

namespace smtp {
class MtaSts {
public:
    MtaSts(const conf::Settings& settings, bool enforce);
    // Absent: no policy, or none that asks for anything. May wait.
    Result<std::optional<tls::Policy>> find(const tls::Policies& policies, const tls::Site& site);

private:
    ipc::Client client_;
    bool enforce_;
    loop::Deadline quiet_until_{};
};
}
