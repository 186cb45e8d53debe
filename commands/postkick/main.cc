// postkick: sends a request to a service, as a wake-up is sent. See postkick(1).
#include <unistd.h>
#include "conf/params/commands.h"
#include "conf/params/global.h"
#include "log/log.h"
#include "net/socket.h"
#include "server/command.h"
#include "server/maillog.h"

int main(int argc, char** argv) {
    maillog::to_stderr("postkick");
    std::string config;
    for (int option; (option = getopt(argc, argv, "c:v")) >= 0;) {
        switch (option) {
        case 'c': config = optarg; break;
        case 'v': maillog::set_verbose(maillog::verbose() + 1); break;
        default: maillog::fatal("usage: postkick [-c config_dir] [-v] class service request");
        }
    }
    if (argc - optind != 3)
        maillog::fatal("usage: postkick [-c config_dir] [-v] class service request");
    std::string family = argv[optind], service = argv[optind + 1], request = argv[optind + 2];
    Result<conf::Settings> settings = server::command_settings(config, "postkick");
    if (!settings)
        maillog::fatal("{}", settings.error().reason);
    server::open_maillog(*settings, "postkick", server::Speaker::command);
    const std::string& queue = (*settings)[param::queue_directory];
    if (chdir(queue.c_str()) != 0)
        maillog::fatal("chdir {}: {}", queue, errno_text(errno));
    if (family.find('/') != family.npos || service.find('/') != service.npos)
        maillog::fatal("class and service are names, without a slash");
    // A fiber is not needed: outside one the waits block. The request is in the service's buffer when this returns.
    Result<void> r = net::trigger(family + "/" + service, request, loop::in((*settings)[param::trigger_timeout]));
    if (r)
        return 0;
    maillog::warning("{}/{}: {}", family, service, r.error().reason);
    maillog::warning("Cannot contact class {} service {} - perhaps the mail system is down", family, service);
    return 1;
}
