// MAIL FROM: the sender, and what the client says of the message to come.
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <algorithm>
#include <utility>
#include "base/bytes.h"
#include "cleanup_client.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "session.h"

namespace smtpd {
// The path's text behind "FROM:" or "TO:", in the same word or the next; words is left with the options. Absent where
// the command is malformed.
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

// The address in internal form; absent where it is none, or its domain can be no host's. With utf8 the domain may have
// other letters. What rewriting would change is for trivial-rewrite to judge; where it cannot tell, later look-ups will
// say so.
std::optional<std::string> Session::read_address(std::string_view word, std::string_view command, bool strict,
                                                 bool utf8) {
    auto illegal = [&] {
        maillog::warning("Illegal address syntax from {} in {} command: {}", client_.shown, command,
                         bytes::printable(word.substr(0, 500), settings_[param::smtputf8_enable]));
    };
    auto address = mail::path_address(word, strict);
    bool good = address.has_value();
    if (good && !address->empty()) {
        auto domain = mail::split_address(*address).domain;
        good = !domain || utf8 || bytes::is_ascii(*domain);
        if (good && !service_.plainly_valid(*address)) {
            auto where = service_.resolve("", *address);
            good = !where || !(where->flags & ipc::ResolveReply::error);
        }
    }
    if (good && (!address->empty() || command == "MAIL"))
        return address;
    illegal();
    return std::nullopt;
}

// Room for the message that may come: 1.5 times its limit where the administrator gave no minimum.
bool Session::room_for_mail() {
    std::int64_t need = settings_[param::queue_minfree];
    std::int64_t message = std::max(settings_[param::message_size_limit], std::int64_t{0});
    if (mail_ && mail_->announced_size > 0 && message == 0)
        message = mail_->announced_size;
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
    if (enough(need, 1) && enough(message, 1.5) && enough(mail_ ? mail_->announced_size : 0, 1))
        return true;
    maillog::warning("not enough free space in mail queue: {} bytes < {}", free_bytes,
                     std::max(need, message + message / 2));
    return false;
}

bool Session::verp_allowed() const {
    const std::string& list = settings_[param::smtpd_authorized_verp_clients];
    if (list.empty())
        return false;
    auto match = table::MatchList::open("smtpd_authorized_verp_clients", list, table::MatchList::Kind::hosts)
                     .match(client_.name, client_.address);
    return match && *match;
}

bool Session::mail_from(Words& words) {
    if (settings_[param::smtpd_helo_required] && helo_.empty())
        return refuse("503 5.5.1 Error: send HELO/EHLO first");
    if (mail_)
        return refuse("503 5.5.1 Error: nested MAIL command");
    auto path = take_path(words, "from:");
    if (!path)
        return refuse("501 5.5.4 Syntax: MAIL FROM:<address>");
    if (!anvil_count("message", settings_[param::smtpd_client_message_rate_limit],
                     "Message delivery request rate limit exceeded"))
        return refuse("450 4.7.1 Error: too much mail from " + client_.address);
    const bool utf8_offered = settings_[param::smtputf8_enable] && !(discarded_ & keyword::smtputf8);
    const bool utf8 = utf8_offered && std::any_of(words.begin(), words.end(), [](std::string_view word) {
                          return bytes::iequals(word, "SMTPUTF8");
                      });
    auto address = mail::balanced(*path) ? read_address(*path, "MAIL", settings_[param::strict_rfc821_envelopes], utf8)
                                         : std::nullopt;
    if (!address)
        return refuse("501 5.1.7 Bad sender address syntax");
    auto mail = std::make_unique<Transaction>();
    mail->sender = std::move(*address);
    bool verp = false, auth = false;
    for (std::string_view word : words) {
        auto option = [&](std::string_view name) {
            return bytes::istarts_with(word, name) && word.size() >= name.size();
        };
        if (bytes::iequals(word, "BODY=8BITMIME") && !(discarded_ & keyword::eightbitmime))
            mail->encoding = "8bit";
        else if (bytes::iequals(word, "BODY=7BIT") && !(discarded_ & keyword::eightbitmime))
            mail->encoding = "7bit";
        else if (bytes::iequals(word, "SMTPUTF8") && utf8_offered)
            mail->smtputf8 = true;
        else if (bytes::iequals(word, "REQUIRETLS") && esmtp_ && !(keywords() & keyword::requiretls))
            mail->require_tls = true;
        else if (option("SIZE=")) {
            auto size = bytes::to_int(word.substr(5));
            if (!size && word.size() > 5 && word.substr(5).find_first_not_of("0123456789") == word.npos)
                return refuse("552 5.3.4 Message size exceeds file system imposed limit");
            if (!size || *size < 0)
                return refuse("501 5.5.4 Bad message size syntax");
            mail->announced_size = *size;
        } else if (option("RET=")) {
            if (discarded_ & keyword::dsn)
                return refuse("501 5.7.1 DSN support is disabled");
            auto ret = mail::parse_ret(word.substr(4));
            if (!ret || mail->dsn_return != 0)
                return refuse("501 5.5.4 Bad RET parameter syntax");
            mail->dsn_return = *ret;
        } else if (option("ENVID=")) {
            if (discarded_ & keyword::dsn)
                return refuse("501 5.7.1 DSN support is disabled");
            auto id = mail::xtext_decode(word.substr(6));
            if (!id || id->empty() || id->size() > 100 || !mail->envelope_id.empty())
                return refuse("501 5.5.4 Bad ENVID parameter syntax");
            for (char c : *id)
                if (static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) > 126)
                    return refuse("501 5.5.4 Bad ENVID parameter syntax");
            mail->envelope_id = std::move(*id);
        } else if (option("AUTH=")) {  // nobody is authenticated: taken and ignored (RFC 4954)
            if (std::exchange(auth, true))
                return refuse("503 5.5.4 Error: multiple AUTH= options");
        } else if (bytes::iequals(word, "XVERP") || option("XVERP=")) {
            if (!verp_allowed())
                return refuse("555 5.5.4 Unsupported option: " + std::string(word));
            mail->verp = word.size() > 6 ? std::string(word.substr(6)) : settings_[param::default_verp_delimiters];
            const std::string& filter = settings_[param::verp_delimiter_filter];
            if (mail->verp.size() != 2 || filter.find(mail->verp[0]) == filter.npos ||
                filter.find(mail->verp[1]) == filter.npos)
                return refuse("501 5.5.4 Error: XVERP needs two characters from " + filter);
            verp = true;
        } else
            return refuse("555 5.5.4 Unsupported option: " + bytes::printable(word.substr(0, 200)));
    }
    if (verp && mail->sender.empty())
        return refuse("503 5.5.4 Error: XVERP requires non-null sender");
    if (settings_[param::strict_smtputf8] && !mail->smtputf8 && !bytes::is_ascii(mail->sender))
        return refuse("553 5.6.7 Must declare SMTPUTF8 to send unicode address");
    mail_ = std::move(mail);
    // SIZE= and the disk: before any recipient is looked at.
    if (settings_[param::message_size_limit] > 0 && mail_->announced_size > settings_[param::message_size_limit]) {
        log_event("reject", "552 5.3.4 Message size exceeds fixed limit");
        mail_.reset();
        return refuse("552 5.3.4 Message size exceeds fixed limit");
    }
    if (!room_for_mail()) {
        log_event("reject", "452 4.3.1 Insufficient system storage");
        mail_.reset();
        return refuse("452 4.3.1 Insufficient system storage");
    }
    if (!settings_[param::smtpd_delay_reject]) {
        if (auto denied = check_sender()) {
            mail_.reset();
            return refuse(*denied);
        }
    }
    if (!settings_[param::smtpd_delay_open_until_valid_rcpt] && !open_cleanup()) {
        mail_.reset();
        return false;
    }
    return say("250 2.1.0 Ok");
}
}
