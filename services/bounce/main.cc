// bounce(8), as the services bounce, defer and trace: keeps the record of what became of each recipient, and tells
// senders. With "-S dump_templates" or "-S expand_templates" it prints its templates, for postconf -t and -b.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string_view>
#include "conf/settings.h"
#include "log/log.h"
#include "server/server.h"
#include "service.h"
#include "templates.h"

namespace {
int print_templates(bool expand, int argc, char** argv) {
    maillog::to_stderr("bounce");
    conf::Overrides overrides;
    for (int i = 3; i + 1 < argc; i += 2) {
        std::string_view option = argv[i], value = argv[i + 1];
        std::size_t equals = value.find('=');
        if (option == "-o" && equals != std::string_view::npos)
            overrides.push_back({std::string(value.substr(0, equals)), std::string(value.substr(equals + 1))});
    }
    const char* directory = std::getenv("MAIL_CONFIG");
    Result<conf::Settings> settings = conf::Settings::load(directory ? directory : "/etc/postfix", overrides);
    if (!settings)
        maillog::fatal("{}", settings.error().reason);
    Result<bounce::Templates> templates = bounce::Templates::load(*settings);
    if (!templates)
        maillog::fatal("{}", templates.error().reason);
    std::string text = expand ? templates->dump_expanded(*settings) : templates->dump();
    std::fwrite(text.data(), 1, text.size(), stdout);
    return std::fflush(stdout) == 0 ? 0 : 1;
}
}

// Who has recipients to report of.
static bool may_ask(std::string_view program) {
    static constexpr std::string_view programs[] = {"cleanup", "discard", "error", "lmtp",   "local",
                                                    "pipe",    "qmgr",    "smtp",  "virtual"};
    return std::find(std::begin(programs), std::end(programs), program) != std::end(programs);
}

int main(int argc, char** argv) {
    if (argc > 2 && std::strcmp(argv[1], "-S") == 0 && std::strstr(argv[2], "_templates"))
        return print_templates(std::strcmp(argv[2], "expand_templates") == 0, argc, argv);
    return server::run(
        {.name = "bounce",
         .needs = server::need::files_write,
         .may_ask = may_ask,
         .before_jail = [](const conf::Settings& settings) { return bounce::start(settings, server::service_name()); },
         .serve = [](server::Connection& session) { bounce::serve(session.stream); }},
        argc, argv);
}
