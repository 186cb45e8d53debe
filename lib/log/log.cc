#include "log/log.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>
#include <cstdlib>
#include "base/bytes.h"
#include "log/syslog_client.h"

namespace maillog {
namespace {
Identity identity;
std::string program;  // set: lines go to stderr
bool use_syslog = false;
int facility = LOG_MAIL;
Sink sink = nullptr;
void* sink_context = nullptr;
std::int64_t (*session_number)() = nullptr;
int verbosity = 0;
constexpr std::size_t line_limit = 2000;  // what syslog daemons and log tools carry

struct Facility {
    const char* name;
    int value;
};
constexpr Facility facilities[] = {
    {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},     {"daemon", LOG_DAEMON},
    {"ftp", LOG_FTP},       {"kern", LOG_KERN},         {"lpr", LOG_LPR},       {"mail", LOG_MAIL},
    {"news", LOG_NEWS},     {"syslog", LOG_SYSLOG},     {"user", LOG_USER},     {"uucp", LOG_UUCP},
    {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},     {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},
    {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5},     {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7}};

int priority(Level level) {
    switch (level) {
    case Level::info: return LOG_INFO;
    case Level::warning: return LOG_WARNING;
    case Level::error: return LOG_ERR;
    default: return LOG_CRIT;
    }
}
std::string_view label(Level level) {
    switch (level) {
    case Level::info: return "";
    case Level::warning: return "warning: ";
    case Level::error: return "error: ";
    case Level::fatal: return "fatal: ";
    default: return "panic: ";
    }
}
}

void open(Identity who) {
    identity = std::move(who);
    identity.tag = bytes::printable(identity.tag);
    facility = LOG_MAIL;
    for (const Facility& f : facilities)
        if (identity.facility == f.name)
            facility = f.value;
    open_syslog();
    use_syslog = true;
}
void retag(std::string tag) { identity.tag = bytes::printable(tag); }
void to_stderr(std::string name) { program = std::move(name); }
void redirect(Sink s, void* context) {
    sink = s;
    sink_context = context;
}
void number_lines_by(std::int64_t (*number)()) { session_number = number; }
std::int64_t line_number() {
    std::int64_t number = session_number ? session_number() : 0;
    return number > 0 ? number : getpid();
}
int verbose() { return verbosity; }
void set_verbose(int level) { verbosity = level; }

void write(Level level, std::string_view text) {
    std::string line(label(level));
    line += bytes::printable(text.substr(0, line_limit));
    if (!program.empty()) {
        std::string shown = program + ": " + line + '\n';
        (void)!::write(STDERR_FILENO, shown.data(), shown.size());
    }
    if (sink)
        sink(level, identity.tag, line, sink_context);
    else if (use_syslog)
        send_syslog(facility | priority(level), identity.tag, line);
}

void end_fatal() { ::_exit(1); }
void end_panic() { std::abort(); }
}
