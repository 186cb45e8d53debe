#include "environment.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>
#include <cstring>
#include <vector>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"

extern char** environ;

namespace postdrop {
void make_safe() {
    while (true) {                                           // fills 0, 1, 2
        const int fd = ::open("/dev/null", O_RDWR);
        if (fd < 0) ::_exit(75);
        if (fd > 2) { UniqueFd closes(fd); break; }
    }
    close_from(3);
    ::umask(022);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    if (!privileged()) return;
    std::vector<std::string> keep;
    for (const char* name : {"MAIL_CONFIG", "TZ", "MAIL_LOGTAG"})
        if (const char* value = std::getenv(name); value && std::strlen(value) < 1024) keep.push_back(std::string(name) + "=" + value);
    ::clearenv();
    for (std::string& entry : keep) {
        const auto [name, value] = bytes::cut(entry, '=');
        if (name == "TZ" && value->find_first_of("/:") != std::string_view::npos) continue;      // a file of the user's choice
        ::setenv(std::string(name).c_str(), std::string(*value).c_str(), 1);
    }
    ::setenv("PATH", "/usr/bin:/bin", 1);
    ::setenv("LANG", "C", 1);
}

bool privileged() { return ::getgid() != ::getegid() || ::getuid() != ::geteuid(); }

Result<conf::Settings> load_settings(const std::string& asked) {
    const std::string standard(param::config_directory.fallback);
    const char* from_environment = std::getenv("MAIL_CONFIG");
    const std::string wanted = !asked.empty() ? asked : from_environment && *from_environment ? from_environment : standard;
    if (wanted == standard || ::getuid() == 0 || !privileged()) return conf::Settings::load(wanted);
    TRY_ASSIGN(conf::Settings authority, conf::Settings::load(standard));
    for (const conf::Text* list : {&param::alternate_config_directories, &param::multi_instance_directories})
        for (std::string_view directory : bytes::split(authority[*list], ", \t\r\n"))
            if (directory == wanted) return conf::Settings::load(wanted);
    return permanent("untrusted configuration directory name: " + wanted);
}
}
