// What an agent keeps between requests: the settings, connections to the services that remember recipients' fates, and
// the status filter. Inside lib/delivery only.
#pragma once
#include "conf/settings.h"
#include "delivery/agent.h"
#include "ipc/bounce.h"
#include "ipc/client.h"
#include "queue/directories.h"
#include "table/match_list.h"
#include "table/maps.h"

namespace delivery {
struct Agent::Services {
    Services(const conf::Settings& s, std::string_view status_filter);
    conf::Settings settings;
    queue::Directories directories;
    ipc::Client bounce, defer, trace, flush;
    table::MatchList flush_domains;  // fast_flush_domains: flush notes what is deferred for them
    table::Maps filter;
    bool soft_bounce, external_addresses;
    int delay_digits;
};

// What the administrator's filter makes of a status: "5.1.1 text" looked up whole. A success stays a success, a failure
// a failure.
Event filtered(const table::Maps& filter, const Event& event);
}
