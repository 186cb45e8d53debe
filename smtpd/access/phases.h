// The rules of each moment of a session, in the administrator's order: the reply
// where they refuse.
#pragma once
#include <optional>
#include <string>
#include "access/rules.h"

namespace smtpd {
class Session;
struct EnvelopeRecipient;

std::optional<std::string> check_client(Session& session);
std::optional<std::string> check_helo(Session& session, std::string name);
std::optional<std::string> check_sender(Session& session);
// For VRFY too, where there may be no transaction.
std::optional<std::string> check_recipient(Session& session, const EnvelopeRecipient& recipient);
// Phase::data or Phase::end_of_data.
std::optional<std::string> check_content(Session& session, Phase phase);
std::optional<std::string> check_etrn(Session& session, const std::string& domain);
}
