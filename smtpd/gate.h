// How much one client may do at once and in a while: anvil(8) counts over all processes, by the address that connected,
// whatever XCLIENT says.
//
// When things fail: without an answer nothing is limited, and one warning says so.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include "client.h"
#include "conf/settings.h"
#include "net/address.h"

namespace smtpd {
class Gate {
public:
    Gate(Service& service, const conf::Settings& settings, const Client& client)
        : service_(service), settings_(settings), client_(client) {}
    // The client has come. The reply where it may not stay.
    std::optional<std::string> enter(const net::Address& peer);
    // Counts an event ("message", "recipient", "newtls"); true where the client may go on. limit: the parameter.
    bool count(std::string_view event, const conf::Int& limit, std::string_view complaint);
    // Is the client over a limit already? Without a line in the log.
    bool over(std::string_view event, const conf::Int& limit);
    void leave(bool may_wait);

private:
    int rate(std::string_view event, std::int64_t limit);  // 0: not limited, or anvil cannot tell
    void complain(std::string_view what, int number) const;

    Service& service_;
    const conf::Settings& settings_;
    const Client& client_;
    std::string ident_{};                       // whom anvil counts: service and network
    std::optional<std::uint64_t> connected_{};  // what AnvilLink::disconnected wants; absent: not counted
};
}
