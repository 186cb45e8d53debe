// The paths of MAIL, RCPT and VRFY: from the command's words to an address.
#include "base/bytes.h"
#include "commands.h"
#include "conf/params/commands.h"
#include "log/log.h"
#include "mail/address.h"
#include "session.h"

namespace smtpd {
std::optional<std::string_view> take_path(Words& words, std::string_view label) {
    if (words.size() < 2)
        return std::nullopt;
    std::string_view first = words[1];
    std::size_t used = 2;
    if (!bytes::istarts_with(first, label))
        return std::nullopt;
    first.remove_prefix(label.size());
    if (first.empty()) {
        if (words.size() < 3)
            return std::nullopt;
        first = words[2];
        used = 3;
    }
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(used));
    return first;
}

std::optional<std::string> read_address(Session& session, std::string_view word, std::string_view command, bool strict,
                                        bool utf8) {
    auto address = mail::path_address(word, strict);
    bool good = address.has_value();
    if (good && !address->empty()) {
        auto domain = mail::split_address(*address).domain;
        good = !domain || utf8 || bytes::is_ascii(*domain);
        if (good && !session.service.plainly_valid(*address)) {
            auto where = session.service.resolve("", *address);
            good = !where || !(where->flags & ipc::ResolveReply::error);
        }
    }
    if (good && (!address->empty() || command == "MAIL"))
        return address;
    maillog::warning("Illegal address syntax from {} in {} command: {}", session.client.shown, command,
                     bytes::printable(word.substr(0, 500), session.settings[param::smtputf8_enable]));
    return std::nullopt;
}
}
