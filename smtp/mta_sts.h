// MTA-STS (RFC 8461) as the client sees it: what the policy service knows of a destination becomes a TLS policy
// (tls/policy.h).
//
// When things fail: while the service cannot be asked, what it last said of a destination holds on, and of others
// nothing is known. A service that does not answer in time is left alone for half a minute; one that is not there costs
// nothing to ask.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
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
    struct Known {
        ipc::StsReply reply;
        loop::Deadline until;
    };
    static constexpr std::size_t known_limit = 10000;
    std::optional<ipc::StsReply> ask(const std::string& domain);

    ipc::Client client_;
    bool enforce_;
    std::unordered_map<std::string, Known> known_{};
    loop::Deadline quiet_until_{}, told_until_{};
};
}
