// What main.cf and master.cf say about one transport: NAME_destination_concurrency_limit and its sixteen sisters, and
// how many sessions master.cf lets the service have.
//
// When things fail: a feedback that cannot be read is a fatal error at start for the default, a warning (and 1) for a
// transport's own.
#pragma once
#include <map>
#include <string>
#include "conf/settings.h"
#include "scheduler.h"

namespace qmgr {
// Service name → maxproc, from the master.cf in the configuration directory: read before the jail.
class SessionLimits {
public:
    SessionLimits() = default;
    static SessionLimits read(const conf::Settings& settings);
    std::size_t of(const std::string& service) const;
    bool known(const std::string& service) const { return sessions_.empty() || sessions_.contains(service); }

private:
    std::map<std::string, std::size_t> sessions_{};
    std::size_t default_ = 100;
};

TransportLimits limits_of(const conf::Settings& settings, const std::string& transport, const SessionLimits& sessions);
}
