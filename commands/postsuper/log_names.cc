#include "log_names.h"
#include <algorithm>
#include <functional>

namespace postsuper {
static constexpr std::time_t clock_grain = 2;  // a file system's clock may lag behind by as much, in seconds

static std::uint64_t hash_of(const mail::QueueId& id) { return std::hash<mail::QueueId>{}(id); }

LogNames::LogNames(const queue::Directories& directories) : listed_(std::time(nullptr)) {
    for (std::size_t i = 0; i < log_queues.size(); ++i) {
        auto& [hashes, complete] = names_[i];
        queue::Scan scan(directories, log_queues[i]);
        while (auto entry = scan.next())
            hashes.push_back(hash_of(entry->id));
        complete = !scan.failed();
        std::sort(hashes.begin(), hashes.end());
    }
}

bool LogNames::may_have(std::size_t log, const mail::QueueId& id, std::string_view queue,
                        const struct stat& message) const {
    const auto& [hashes, complete] = names_[log];
    if (!complete || queue != queue::deferred || message.st_ctime + clock_grain >= listed_)
        return true;
    return std::binary_search(hashes.begin(), hashes.end(), hash_of(id));
}
}
