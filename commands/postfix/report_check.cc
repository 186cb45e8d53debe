#include "report_check.h"
#include <fmt/format.h>
#include <sys/stat.h>
#include "base/bytes.h"
#include "conf/master_cf.h"
#include "conf/params/tls.h"
#include "mailauth/dkim_sign.h"

namespace postfix {
namespace {
void check_service(const conf::Settings& s, const std::string& service, std::vector<std::string>& problems) {
    auto say = [&](std::string text) { problems.push_back(fmt::format("service {}: {}", service, text)); };
    for (const auto& one : {param::tlsrpt_organization_name, param::tlsrpt_contact_info})
        if (s[one].empty())
            say(fmt::format("{} is not set: no TLS report is sent", one.name));
    const std::string& file = s[param::tlsrpt_dkim_key_file];
    if (file.empty())
        return;
    auto key = mailauth::DkimKey::load(file);
    if (!key)
        say(fmt::format("tlsrpt_dkim_key_file: {}: no TLS report can be sent by mail", key.error().reason));
    struct stat st {};
    if (stat(file.c_str(), &st) == 0 && (st.st_mode & 004))
        say("the world can read the private key in " + file);
    const std::string &sender = s[param::tlsrpt_sender], &domain = s[param::tlsrpt_dkim_domain];
    if (!bytes::iends_with(sender, "@" + domain) && !bytes::iends_with(sender, "." + domain))
        say(fmt::format("tlsrpt_sender = {} is not in tlsrpt_dkim_domain = {}: the signature does not vouch for it",
                        bytes::printable(sender), bytes::printable(domain)));
}
}

std::vector<std::string> report_problems(const conf::Settings& settings) {
    std::vector<std::string> problems;
    Result<std::vector<conf::MasterEntry>> entries = conf::read_master_cf(settings.directory() + "/master.cf");
    if (!entries)
        return problems;  // reported by whoever needs the file
    for (const conf::MasterEntry& entry : conf::effective(*entries)) {
        if (entry.command != "tlsrpt")
            continue;
        Result<conf::ServiceOptions> options = conf::options_of(entry);
        Result<conf::Settings> own =
            options ? settings.with(options->overrides) : Result<conf::Settings>(tl::unexpected(options.error()));
        if (own)
            check_service(*own, entry.name, problems);
    }
    return problems;
}
}
