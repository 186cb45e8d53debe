// Where a program's log lines go, as its settings say: syslog, or postlogd where maillog_file is set. Daemons get it
// from run(); commands call it once they have their settings:
//
//     server::open_maillog(settings, "postsuper", server::Speaker::command);
#pragma once
#include <string_view>
#include "conf/settings.h"

namespace server {
enum class Speaker {
    daemon,         // in queue_directory; never to stderr
    command,        // also to stderr, "postsuper: warning: …"
    quiet_command,  // as a command, but not to stderr
    master,         // writes maillog_file itself
};
// The tag is "$syslog_name/process_name"; MAIL_LOGTAG in the environment takes the place of syslog_name for commands.
void open_maillog(const conf::Settings& settings, std::string_view process_name, Speaker speaker);
// What is wrong with maillog_file (outside maillog_file_prefixes …), or "".
std::string maillog_problem(const conf::Settings& settings);
}
