#include "server/maillog.h"
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "conf/params/cleanup.h"
#include "log/log.h"
#include "log/postlog.h"

namespace server {
namespace {
unsigned file_mode(const conf::Settings& s) {
    unsigned mode = 0;
    for (char c : s[param::maillog_file_permissions])
        mode = mode * 8 + static_cast<unsigned>(c - '0');
    return mode & 0666;
}
}

// A file, or one that can be made, whatever its rights: its writer may be another.
static std::string place_problem(const std::string& file) {
    struct stat there {};
    if (::stat(file.c_str(), &there) == 0)
        return S_ISDIR(there.st_mode) ? "maillog_file: " + file + " is a directory: a file is expected" : "";
    const std::string directory = file.substr(0, file.rfind('/'));
    if (!directory.empty() && ::stat(directory.c_str(), &there) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return "maillog_file: there is no directory " + directory;
    return "";
}

std::string maillog_problem(const conf::Settings& settings) {
    const std::string& file = settings[param::maillog_file];
    if (file.empty())
        return "";
    for (char c : settings[param::maillog_file_permissions])
        if (c < '0' || c > '7')
            return "maillog_file_permissions: an octal number is expected, such as 0600";
    for (std::string_view prefix : bytes::split(settings[param::maillog_file_prefixes], ", \t\r\n"))
        if (file.starts_with(prefix) &&
            (file.size() == prefix.size() || prefix.ends_with('/') || file[prefix.size()] == '/'))
            return place_problem(file);
    return "maillog_file: \"" + file +
           "\" is below none of maillog_file_prefixes: " + settings[param::maillog_file_prefixes];
}

void open_maillog(const conf::Settings& settings, std::string_view process_name, Speaker speaker) {
    bool command = speaker == Speaker::command || speaker == Speaker::quiet_command;
    std::string name = settings[param::syslog_name];
    if (const char* tag = std::getenv("MAIL_LOGTAG"); tag && command)
        name = tag;
    maillog::Identity who{name + "/" + std::string(process_name), settings[param::syslog_facility]};
    if (speaker == Speaker::command)
        maillog::to_stderr(std::string(process_name));
    maillog::open(who);
    const std::string& file = settings[param::maillog_file];
    if (file.empty()) {
        maillog::redirect(nullptr, nullptr);
        return;
    }
    maillog::PostlogTarget target;
    target.hostname = settings[param::myhostname];
    if (const char* host = std::getenv("POSTLOG_HOSTNAME"); host && *host)
        target.hostname = host;
    const std::string& service = settings[param::postlog_service_name];
    target.socket =
        speaker == Speaker::daemon ? "public/" + service : settings[param::queue_directory] + "/public/" + service;
    if (const char* path = std::getenv("POSTLOG_SERVICE"); path && *path == '/' && command && geteuid() == 0)
        target.socket = path;
    target.permissions = file_mode(settings);
    target.always_direct = speaker == Speaker::master;
    if (geteuid() == 0 && speaker != Speaker::daemon && maillog_problem(settings).empty() &&
        (file != "/dev/stdout" || speaker == Speaker::master))
        target.file = file;
    maillog::to_postlog(std::move(target));
}
}
