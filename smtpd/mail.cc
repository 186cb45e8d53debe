// MAIL FROM: the sender, and what the client says of the message to come.
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <algorithm>
#include <utility>
#include "access/phases.h"
#include "base/bytes.h"
#include "commands.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/smtpd.h"
#include "keywords.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "session.h"

namespace smtpd {
namespace {
// Room for the message that may come: 1.5 times its limit where the administrator gave no minimum.
bool room_for_mail(const conf::Settings& settings, std::int64_t announced) {
    std::int64_t need = settings[param::queue_minfree];
    const std::int64_t message = std::max(settings[param::message_size_limit], std::int64_t{0});
    if (message == 0)
        announced = 0;  // where any size goes, the client's word is no reason to refuse
    // Asked once a second at most: a disk that fills faster than that is met by cleanup.
    static loop::Clock::time_point asked{};
    static unsigned long long free_bytes = 0;
    if (auto now = loop::Clock::now(); now - asked > std::chrono::seconds(1)) {
        struct statvfs fs {};
        if (::statvfs(".", &fs) != 0)
            return true;
        free_bytes = static_cast<unsigned long long>(fs.f_bavail) * fs.f_frsize;
        asked = now;
    }
    auto enough = [&](std::int64_t bytes, double factor) {
        return bytes <= 0 || static_cast<double>(free_bytes) / factor >= static_cast<double>(bytes);
    };
    if (enough(need, 1) && enough(message, 1.5) && enough(announced, 1))
        return true;
    maillog::warning("not enough free space in mail queue: {} bytes < {}", free_bytes,
                     std::max(need, message + message / 2));
    return false;
}

// --- options: each reads its value into the envelope; the reply where it is not to be had

using Refusal = std::optional<std::string>;
constexpr std::string_view no_dsn = "501 5.7.1 DSN support is disabled";

bool utf8_offered(const Session& session) {
    return session.settings[param::smtputf8_enable] && !(session.client.discarded & keyword::smtputf8);
}

Refusal size(Envelope& envelope, std::string_view value) {
    auto size = bytes::to_int(value);
    if (!size && !value.empty() && value.find_first_not_of("0123456789") == value.npos)
        return "552 5.3.4 Message size exceeds file system imposed limit";
    if (!size || *size < 0)
        return "501 5.5.4 Bad message size syntax";
    envelope.announced_size = *size;
    return std::nullopt;
}

Refusal ret(Envelope& envelope, std::string_view value) {
    auto ret = mail::parse_ret(value);
    if (!ret || envelope.dsn_return != 0)
        return "501 5.5.4 Bad RET parameter syntax";
    envelope.dsn_return = *ret;
    return std::nullopt;
}

Refusal envid(Envelope& envelope, std::string_view value) {
    auto id = mail::xtext_decode(value);
    const bool good = id && !id->empty() && envelope.id.empty() && std::all_of(id->begin(), id->end(), [](char c) {
                          return static_cast<unsigned char>(c) >= 32 && static_cast<unsigned char>(c) <= 126;
                      });
    if (!good)
        return "501 5.5.4 Bad ENVID parameter syntax";
    envelope.id = std::move(*id);
    return std::nullopt;
}

// word: "XVERP", or with the delimiters behind it.
Refusal verp(const Session& session, Envelope& envelope, std::string_view word) {
    if (!may_ask_verp(session))
        return "555 5.5.4 Unsupported option: " + std::string(word);
    envelope.verp = word.size() > 6 ? std::string(word.substr(6)) : session.settings[param::default_verp_delimiters];
    const std::string& filter = session.settings[param::verp_delimiter_filter];
    if (envelope.verp.size() != 2 || filter.find(envelope.verp[0]) == filter.npos ||
        filter.find(envelope.verp[1]) == filter.npos)
        return "501 5.5.4 Error: XVERP needs two characters from " + filter;
    return std::nullopt;
}

// auth_seen: AUTH= may be said once.
Refusal take_option(Session& session, Envelope& envelope, std::string_view word, bool& auth_seen) {
    const unsigned off = session.client.discarded;
    if (bytes::iequals(word, "BODY=8BITMIME") && !(off & keyword::eightbitmime))
        envelope.encoding = "8bit";
    else if (bytes::iequals(word, "BODY=7BIT") && !(off & keyword::eightbitmime))
        envelope.encoding = "7bit";
    else if (bytes::iequals(word, "SMTPUTF8") && utf8_offered(session))
        envelope.smtputf8 = true;
    else if (bytes::iequals(word, "REQUIRETLS") && session.client.esmtp &&
             !(not_offered(session) & keyword::requiretls))
        envelope.require_tls = true;
    else if (bytes::istarts_with(word, "SIZE="))
        return size(envelope, word.substr(5));
    else if (bytes::istarts_with(word, "RET="))
        return off & keyword::dsn ? Refusal(no_dsn) : ret(envelope, word.substr(4));
    else if (bytes::istarts_with(word, "ENVID="))
        return off & keyword::dsn ? Refusal(no_dsn) : envid(envelope, word.substr(6));
    else if (bytes::istarts_with(word, "AUTH=")) {  // nobody is authenticated: taken and ignored (RFC 4954)
        if (std::exchange(auth_seen, true))
            return "503 5.5.4 Error: multiple AUTH= options";
    } else if (bytes::iequals(word, "XVERP") || bytes::istarts_with(word, "XVERP="))
        return verp(session, envelope, word);
    else
        return "555 5.5.4 Unsupported option: " + bytes::printable(word.substr(0, 200));
    return std::nullopt;
}

Refusal take_options(Session& session, Envelope& envelope, const Words& words) {
    bool auth_seen = false;
    for (std::string_view word : words)
        if (Refusal refusal = take_option(session, envelope, word, auth_seen))
            return refusal;
    if (!envelope.verp.empty() && envelope.sender.empty())
        return "503 5.5.4 Error: XVERP requires non-null sender";
    if (session.settings[param::strict_smtputf8] && !envelope.smtputf8 && !bytes::is_ascii(envelope.sender))
        return "553 5.6.7 Must declare SMTPUTF8 to send unicode address";
    return std::nullopt;
}

// What stands against this transaction, before any recipient is looked at.
Refusal objection(Session& session) {
    const std::int64_t announced = session.mail->envelope.announced_size,
                       limit = session.settings[param::message_size_limit];
    std::string_view no_room = limit > 0 && announced > limit ? "552 5.3.4 Message size exceeds fixed limit"
                               : !room_for_mail(session.settings, announced) ? "452 4.3.1 Insufficient system storage"
                                                                             : "";
    if (!no_room.empty()) {
        session.log_event("reject", no_room);
        return std::string(no_room);
    }
    return session.settings[param::smtpd_delay_reject] ? std::nullopt : check_sender(session);
}
}

bool may_ask_verp(const Session& session) {
    auto match = session.service.verp_clients.match(session.client.name, session.client.address);
    return match && *match;
}

bool mail_from(Session& session, Words& words) {
    Dialogue& dialogue = session.dialogue;
    const conf::Settings& settings = session.settings;
    if (settings[param::smtpd_helo_required] && session.client.helo.empty())
        return dialogue.refuse("503 5.5.1 Error: send HELO/EHLO first");
    if (session.mail)
        return dialogue.refuse("503 5.5.1 Error: nested MAIL command");
    auto path = take_path(words, "from:");
    if (!path)
        return dialogue.refuse("501 5.5.4 Syntax: MAIL FROM:<address>");
    if (!session.gate.count("message", param::smtpd_client_message_rate_limit,
                            "Message delivery request rate limit exceeded"))
        return dialogue.refuse("450 4.7.1 Error: too much mail from " + session.client.address);
    const bool utf8 = utf8_offered(session) && std::any_of(words.begin(), words.end(), [](std::string_view word) {
                          return bytes::iequals(word, "SMTPUTF8");
                      });
    auto address = mail::balanced(*path)
                       ? read_address(session, *path, "MAIL", settings[param::strict_rfc821_envelopes], utf8)
                       : std::nullopt;
    if (!address)
        return dialogue.refuse("501 5.1.7 Bad sender address syntax");
    auto mail = std::make_unique<Transaction>();
    mail->envelope.sender = std::move(*address);
    if (Refusal refusal = take_options(session, mail->envelope, words))
        return dialogue.refuse(*refusal);
    session.mail = std::move(mail);
    if (Refusal refusal = objection(session)) {
        session.mail.reset();
        return dialogue.refuse(*refusal);
    }
    if (!settings[param::smtpd_delay_open_until_valid_rcpt] && !open_downstream(session)) {
        session.mail.reset();
        return false;
    }
    return dialogue.say("250 2.1.0 Ok");
}
}
