// The Received: header that says how the message came: lines without their ends, separated by LF.
#pragma once
#include <string>

namespace smtpd {
class Session;
std::string received_header(const Session& session);
}
