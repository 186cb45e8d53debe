#include "reply_footer.h"
#include <ctime>
#include <map>
#include "base/bytes.h"
#include "client.h"
#include "conf/params/cleanup.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "mail/reply.h"
#include "service.h"

namespace smtpd {
namespace {
std::string local_time() {
    std::time_t now = std::time(nullptr);
    std::tm tm{};
    localtime_r(&now, &tm);
    char text[32];
    return std::string(text, std::strftime(text, sizeof text, "%b %d %H:%M:%S", &tm));
}
}

void filter_reply(const Service& service, std::string& reply) {
    if (service.reject_filter.empty())
        return;
    auto found = service.reject_filter.find(reply);
    if (!found)
        maillog::warning("smtpd_reject_filter_maps: {}", found.error().reason);
    if (!found || !*found)
        return;
    mail::StatusText parts = mail::split_status(**found);
    if (parts.code < 400 || parts.code > 599)
        maillog::warning("smtpd_reject_filter_maps: not a reply that refuses: {}", bytes::printable(**found));
    else
        reply = bytes::printable(**found);
}

void add_footer(Service& service, const Client& client, std::string& reply) {
    std::string footer;
    if (!service.footer_maps.empty()) {
        auto found = service.footer_maps.find(reply);
        if (!found)
            maillog::warning("smtpd_reject_footer_maps: {}", found.error().reason);
        else if (*found)
            footer = std::move(**found);
    }
    if (footer.empty())
        footer = service.settings()[param::smtpd_reject_footer];
    if (footer.empty())
        return;
    footer =
        service.settings().expand(footer, {{"client_address", service.censored(client.address)},
                                           {"client_port", service.censored(client.port)},
                                           {"localtime", service.censored(local_time())},
                                           {"server_name", service.censored(service.settings()[param::myhostname])}});
    // Code and enhanced status go in front of each line.
    std::string code = reply.substr(0, 3), status;
    EnhancedStatus enhanced;
    if (std::size_t n = reply.size() > 4 ? EnhancedStatus::parse(std::string_view(reply).substr(4), enhanced) : 0)
        status = reply.substr(4, n) + " ";
    std::vector<std::string> lines{reply.substr(std::min<std::size_t>(reply.size(), 4))};
    bool same_line = footer.starts_with("\\c");
    std::string_view rest = same_line ? std::string_view(footer).substr(2) : std::string_view(footer);
    while (true) {
        std::size_t at = rest.find("\\n");
        std::string_view piece = rest.substr(0, at);
        if (same_line)
            lines.back() += piece;
        else
            lines.push_back(status + std::string(piece));
        same_line = false;
        if (at == rest.npos)
            break;
        rest.remove_prefix(at + 2);
    }
    reply.clear();
    for (std::size_t i = 0; i < lines.size(); ++i) {
        bool last = i + 1 == lines.size();
        reply += code + (last ? " " : "-") + bytes::printable(lines[i]) + (last ? "" : "\r\n");
    }
}
}
