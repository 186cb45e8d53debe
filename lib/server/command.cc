#include "server/command.h"
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/main_cf.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "log/log.h"
#include "server/process.h"

namespace server {
namespace {
constexpr std::size_t variable_limit = 1024;

void fill_standard_descriptors() {
    for (;;) {
        UniqueFd fd(::open("/dev/null", O_RDWR));
        if (!fd)
            ::_exit(75);
        if (fd.get() > STDERR_FILENO)
            return;
        (void)fd.release();
    }
}

void lift_limits() {
    for (auto what : {RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_AS, RLIMIT_NOFILE}) {
        rlimit limit{};
        if (::getrlimit(what, &limit) != 0)
            continue;
        limit.rlim_cur = limit.rlim_max;
        (void)::setrlimit(what, &limit);
    }
    const rlimit none{0, 0};
    (void)::setrlimit(RLIMIT_CORE, &none);
    const itimerval never{};
    for (auto timer : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF})
        (void)::setitimer(timer, &never, nullptr);
    sigset_t nothing;
    ::sigemptyset(&nothing);
    ::sigprocmask(SIG_SETMASK, &nothing, nullptr);
    ::signal(SIGALRM, SIG_DFL);
    ::signal(SIGCHLD, SIG_DFL);
}

std::optional<std::string> variable(const char* name) {
    const char* value = std::getenv(name);
    return value && std::strlen(value) < variable_limit ? std::optional<std::string>(value) : std::nullopt;
}

void clear_environment() {
    const auto config = variable("MAIL_CONFIG"), zone = variable("TZ");
    ::clearenv();
    if (config)
        ::setenv("MAIL_CONFIG", config->c_str(), 1);
    if (zone && zone->find_first_of("/:") == zone->npos)
        ::setenv("TZ", zone->c_str(), 1);
    ::setenv("PATH", "/usr/bin:/bin", 1);
    ::setenv("LANG", "C", 1);
}

bool listed(const conf::Settings& settings, std::string_view directory) {
    for (const conf::Text* list : {&param::alternate_config_directories, &param::multi_instance_directories})
        for (std::string_view one : bytes::split(settings[*list], ", \t\r\n"))
            if (one == directory)
                return true;
    return false;
}
}

bool more_rights_than_caller() { return ::getuid() != 0 && (::getuid() != ::geteuid() || ::getgid() != ::getegid()); }

void start_set_gid() {
    fill_standard_descriptors();
    close_from(STDERR_FILENO + 1);
    ::umask(022);
    lift_limits();
    if (more_rights_than_caller())
        clear_environment();
}

void be_verbose() {
    if (!more_rights_than_caller())
        maillog::set_verbose(maillog::verbose() + 1);
}

static Result<std::string> config_directory(const std::string& option) {
    const std::string standard(param::config_directory.fallback);
    const char* environment = std::getenv("MAIL_CONFIG");
    std::string directory = !option.empty() ? option : environment && *environment ? environment : standard;
    while (directory.size() > 1 && directory.back() == '/')
        directory.pop_back();
    if (directory == standard)
        return directory;
    if (more_rights_than_caller()) {
        Result<conf::Settings> s = conf::Settings::load(standard);
        if (s && listed(*s, directory))
            return directory;
        return permanent(fmt::format(
            "unauthorized configuration directory name: {0} (specify \"alternate_config_directories = {0}\" or "
            "\"multi_instance_directories = {0}\" in {1}/main.cf)",
            directory, standard));
    }
    if (directory[0] == '/')
        return directory;
    std::string here(PATH_MAX, '\0');
    if (!::getcwd(here.data(), here.size()))
        return system_error("configuration directory " + directory, errno);
    return here.substr(0, here.find('\0')) + "/" + directory;
}

Result<conf::Settings> command_settings(const std::string& option, std::string_view process_name) {
    TRY_ASSIGN(std::string directory, config_directory(option));
    std::vector<std::string> warnings;
    TRY_ASSIGN(conf::Settings settings,
               conf::Settings::load(directory, {{"process_name", std::string(process_name)}}, &warnings));
    for (const std::string& warning : warnings)
        maillog::warning("{}", warning);
    import_environment(settings[param::import_environment]);
    if (directory != param::config_directory.fallback)
        ::setenv("MAIL_CONFIG", directory.c_str(), 1);
    else
        ::unsetenv("MAIL_CONFIG");
    return settings;
}

Result<void> queue_directory_there(const conf::Settings& settings) {
    const std::string& path = settings[param::queue_directory];
    struct stat st {};
    const int error = ::stat(path.c_str(), &st) != 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
    if (error == 0)
        return {};
    return system_error("queue_directory " + path, error);
}
}
