// The listening sockets of a service. master owns them for as long as the service exists, so that clients wait and are
// not refused while no worker runs. A reload keeps those that stay the same.
//
// When things fail: an Error that names address or path; nothing was changed then.
#pragma once
#include <memory>
#include <string>
#include <vector>
#include "base/error.h"
#include "base/fd.h"
#include "conf/master_cf.h"
#include "conf/rights.h"
#include "conf/settings.h"

namespace master {
struct Endpoint {
    std::string key;   // "inet 127.0.0.1 25", "unix public/cleanup": equal keys are the same socket
    std::string path;  // UNIX-domain and FIFO: relative to queue_directory; else ""
    conf::ServiceType type = conf::ServiceType::inet;
    conf::Identity owner{};  // of the path's directory: who removes it
    UniqueFd fd;
    bool remove = false;  // unlink the path when this goes: the service was removed
    Endpoint() = default;
    ~Endpoint();
    Endpoint(const Endpoint&) = delete;
};
using Endpoints = std::vector<std::shared_ptr<Endpoint>>;

// Opens what the entry names, or takes it from `open` where it is there. The working directory is queue_directory.
Result<Endpoints> open_endpoints(const conf::MasterEntry& entry, const conf::Settings& settings, const Endpoints& open);
}
