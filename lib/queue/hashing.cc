// Directories as the settings have them.
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "conf/settings.h"
#include "queue/directories.h"

namespace queue {
static std::vector<std::string> names(const conf::Settings& settings) {
    std::vector<std::string> list;
    for (auto name : bytes::split(settings[param::hash_queue_names], ", \t\r\n"))
        list.emplace_back(name);
    return list;
}

Directories::Directories(const conf::Settings& settings, std::string root)
    : Directories(names(settings), static_cast<int>(std::min<std::int64_t>(settings[param::hash_queue_depth], 100)),
                  std::move(root)) {}
}
