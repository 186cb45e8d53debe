// What `postfix check` and `postfix start` say about a configuration that can be read: names that nothing reads, what
// is set and not built yet, restrictions that would answer 451 4.3.5, transports that do not exist.
//
// A refusal is what must keep the mail system from starting: passing over the setting would let in or out what the
// administrator wants stopped, or bounce, misroute or send in the clear what is delivered today. A transport that does
// not exist is a warning: its mail waits. Each text names the file and the parameter.
#pragma once
#include <string>
#include <vector>
#include "conf/master_cf.h"
#include "conf/settings.h"

namespace conf {
struct Findings {
    std::vector<std::string> warnings, refusals;
    std::vector<std::string> notes;  // what is not there and changes nothing: for `postfix check` alone
};

// entries: all of master.cf, as read. table_types: the lookup table types that are built; empty: they are not looked
// at. Looks for daemon programs in daemon_directory; opens no table and asks no name server.
Findings check(const Settings& settings, const std::vector<MasterEntry>& entries,
               const std::vector<std::string>& table_types = {});

// Reads both files of a directory and checks them; what cannot be read or parsed is a refusal, every one of several
// named.
Findings check_directory(const std::string& directory, const std::vector<std::string>& table_types = {});
}
