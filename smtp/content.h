// The message's text on its way to the server: line ends, dots, long lines, and where main.cf or the server's abilities
// ask for it, rewritten headers (generic maps, header checks) and 7-bit parts.
//
// When things fail: the server's end as Peer has it; the queue file's as an Error 4.3.0, with the peer broken, since
// half a message has been sent and must not be ended with a dot.
#pragma once
#include <string>
#include "base/error.h"
#include "config.h"
#include "delivery/job.h"
#include "peer.h"

namespace smtp {
struct ContentOptions {
    bool downgrade = false;  // the server takes 7 bits only
    std::string prepend;     // header lines, joined by \n, to go in front: flags=DOR
};
// Everything but the final dot, which the caller sends with what it has gathered. The last line is ended.
Result<void> send_content(const Config& config, const delivery::Job& job, Peer& peer, const ContentOptions& options);

// One address through smtp_generic_maps, internal form; unchanged where nothing matches. An Error where a table cannot
// tell. header: "" is no null sender, but "" as a header may have it.
Result<std::string> generic_address(const Config& config, const std::string& internal, bool header = false);
}
