#include "server/command.h"
#include <unistd.h>
#include <cstdlib>
#include "base/bytes.h"
#include "conf/main_cf.h"
#include "conf/params/commands.h"
#include "server/process.h"

namespace server {
bool more_rights_than_caller() { return getuid() != geteuid() || getgid() != getegid(); }

Result<std::string> config_directory(const char* option) {
    const std::string standard(param::config_directory.fallback);
    const char* environment = std::getenv("MAIL_CONFIG");
    std::string directory = option ? option : environment && *environment ? environment : standard;
    if (directory.empty() || directory[0] != '/') return permanent("configuration directory \"" + directory + "\": an absolute path is expected");
    while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
    if (directory == standard || !more_rights_than_caller() || getuid() == 0) return directory;
    Result<conf::Settings> s = conf::Settings::load(standard);
    if (s)
        for (const conf::Text* list : {&param::alternate_config_directories, &param::multi_instance_directories})
            for (std::string_view one : bytes::split((*s)[*list], ", \t\r\n")) if (one == directory) return directory;
    return permanent("configuration directory \"" + directory + "\" is not named in alternate_config_directories or multi_instance_directories of " + standard + "/main.cf");
}

Result<conf::Settings> command_settings(const char* option, std::string_view process_name) {
    TRY_ASSIGN(std::string directory, config_directory(option));
    TRY_ASSIGN(conf::Settings settings, conf::Settings::load(directory, {{"process_name", std::string(process_name)}}));
    import_environment(settings[param::import_environment]);
    if (directory != param::config_directory.fallback) setenv("MAIL_CONFIG", directory.c_str(), 1);
    else unsetenv("MAIL_CONFIG");
    return settings;
}
}
