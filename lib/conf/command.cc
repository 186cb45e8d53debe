#include "conf/command.h"
#include <unistd.h>
#include <cstdlib>
#include "base/bytes.h"
#include "conf/params/commands.h"

namespace conf {
bool has_borrowed_rights() { return ::getuid() != ::geteuid() || ::getgid() != ::getegid(); }

static bool listed(const Settings& settings, const std::string& directory) {
    for (const std::string& list : {settings[param::alternate_config_directories], settings[param::multi_instance_directories]})
        for (auto name : bytes::split(list, ", \t\r\n")) if (name == directory) return true;
    return false;
}

Result<Settings> command_settings(const std::string& option) {
    const char* environment = std::getenv("MAIL_CONFIG");
    const std::string directory = !option.empty() ? option : environment && *environment ? environment : default_directory;
    if (directory != default_directory && ::getuid() != 0 && has_borrowed_rights()) {
        auto defaults = Settings::load(default_directory);
        if (!defaults || !listed(*defaults, directory))
            return permanent("unauthorized configuration directory name: " + bytes::printable(directory) + " (specify \"alternate_config_directories = " +
                             bytes::printable(directory) + "\" in " + default_directory + "/main.cf)");
    }
    ::setenv("MAIL_CONFIG", directory.c_str(), 1);
    return Settings::load(directory);
}
}
