// smtpd_reject_footer and its maps: text that goes behind every 4xx and 5xx reply.
#pragma once
#include <string>

namespace smtpd {
class Service;
struct Client;
// reply: one line without its end. On return it may be several, with CRLF between them, each with the code and enhanced status.
void add_footer(Service& service, const Client& client, std::string& reply);
}
