// What the running system was told: main.cf and master.cf, read and checked together, and the snapshot that workers
// inherit. Never changed once it is made; a reload makes another (DESIGN.md, section 4, "Generations").
//
// When things fail: read_configuration() returns what is wrong with file and line, and the running system keeps the one
// it has.
#pragma once
#include <memory>
#include <string>
#include <vector>
#include "base/error.h"
#include "base/fd.h"
#include "conf/master_cf.h"
#include "conf/settings.h"

namespace master {
struct Configuration {
    conf::Settings settings;
    std::vector<conf::MasterEntry> entries;     // those in force: without the disabled ones
    UniqueFd snapshot;                          // settings.snapshot(), to be read from its start
    int generation = 0;                         // 1, 2, …
    std::vector<conf::MasterEntry> declared{};  // all that master.cf has
};
using ConfigurationPtr = std::shared_ptr<const Configuration>;

// Reads DIR/main.cf and DIR/master.cf.
Result<ConfigurationPtr> read_configuration(const std::string& directory, int generation);
}
