#include "bounce.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "conf/params/bounce.h"
#include "conf/params/commands.h"
#include "log/log.h"

namespace postconf {
void show_bounce(const Options& o) {
    conf::Overrides overrides = o.overrides;
    if (o.arguments.size() > 1)
        maillog::fatal("one template file at most is expected");
    if (!o.arguments.empty())
        overrides.push_back({"bounce_template_file", o.arguments[0]});
    Result<conf::Settings> settings = conf::Settings::load(o.directory, overrides);
    if (!settings)
        maillog::fatal("{}", settings.error().reason);
    std::string program = (*settings)[param::daemon_directory] + "/bounce";
    std::string file = "bounce_template_file=" + (*settings)[param::bounce_template_file];
    setenv("MAIL_CONFIG", o.directory.c_str(), 1);
    const char* mode = o.mode == Mode::bounce_show ? "expand_templates" : "dump_templates";
    execl(program.c_str(), "bounce", "-S", mode, "-o", file.c_str(), static_cast<char*>(nullptr));
    maillog::fatal("run {}: {}", program, errno_text(errno));
}
}
