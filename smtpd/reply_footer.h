// What becomes of a 4xx or 5xx reply before it is sent: smtpd_reject_filter_maps may replace it, smtpd_reject_footer
// and its maps put a text behind it.
#pragma once
#include <string>

namespace smtpd {
class Service;
class Client;
// smtpd_reject_filter_maps: another reply in the place of a refusal. One line without its end.
void filter_reply(const Service& service, std::string& reply);
// reply: one line without its end. On return it may be several, with CRLF between them, each with the code and enhanced
// status.
void add_footer(Service& service, const Client& client, std::string& reply);
}
