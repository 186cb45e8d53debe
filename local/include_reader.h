// With whose rights a :include: list is read that no user's .forward names: who could have put it there decides, not
// who owns the file in the end. A link of a user's is followed as that user, so that it leads to nothing that the user
// could not read.
#pragma once
#include <optional>
#include <string>
#include "base/error.h"
#include "delivery/rights.h"

namespace local {
struct IncludeReader {
    delivery::Rights reading;  // root's only where root alone can have put the list there
    std::optional<delivery::User>
        owner{};  // whose list it is; absent: root's, and what it names is done with default_privs
};
// path is absolute. otherwise: what holds for lists of root's (default_privs). The Error carries the errno.
Result<IncludeReader> include_reader(const std::string& path, const delivery::Rights& otherwise);
}
