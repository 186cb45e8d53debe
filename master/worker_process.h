// Starts a worker process with exactly the descriptors and arguments of server/worker_protocol.h.
#pragma once
#include <sys/types.h>
#include <string>
#include <vector>
#include "configuration.h"
#include "endpoint.h"

namespace master {
struct SpawnRequest {
    const Configuration& configuration;
    const conf::MasterEntry& entry;
    const Endpoints& endpoints;
    int channel, board, flow, programs, slot;
    bool successor;  // another generation serves meanwhile
    int verbose;
    bool debug;
};
std::string program_path(const Configuration& configuration, const conf::MasterEntry& entry);
Result<pid_t> spawn_worker(const SpawnRequest& request);
}
