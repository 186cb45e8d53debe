// Files of the deferred queue that somebody else has changed, moved or removed: by hand (touch), by postsuper or by
// flush. qmgr itself sets a file's time before it moves it there, so that whatever the kernel tells of is news, but for
// what qmgr takes out.
//
// When things fail (no inotify on this system, no watch left, events lost): changed() says that anything may have.
#pragma once
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>
#include "base/fd.h"

namespace qmgr {
class Touched {
public:
    Touched();
    enum class Watched { already, newly, failed };
    // From now on files in this directory are watched. newly: what was known of them before is in doubt.
    Watched watch(const std::string& directory);
    // Adds the names of files that were changed or have gone since the last call. False where some may be missing.
    bool changed(std::vector<std::string>& names);

private:
    UniqueFd fd_{};
    std::unordered_set<int> watches_{};
};
}
