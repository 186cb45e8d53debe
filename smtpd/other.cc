// RSET NOOP VRFY ETRN QUIT, and AUTH while nobody can log in.
#include <fmt/format.h>
#include "base/bytes.h"
#include "conf/params/commands.h"
#include "conf/params/smtpd.h"
#include "ipc/flush.h"
#include "log/log.h"
#include "mail/address.h"
#include "session.h"

namespace smtpd {
bool Session::rset(Words& words) {
    if (words.size() != 1)
        return refuse("501 5.5.4 Syntax: RSET");
    drop_transaction();
    return say("250 2.0.0 Ok");
}

bool Session::noop(Words&) { return say("250 2.0.0 Ok"); }

bool Session::vrfy(Words& words) {
    if (settings_[param::disable_vrfy_command])
        return refuse("502 5.5.1 VRFY command is disabled");
    if (words.size() < 2)
        return refuse(settings_[param::smtputf8_enable] && !(discarded_ & keyword::smtputf8)
                          ? "501 5.5.4 Syntax: VRFY address [SMTPUTF8]"
                          : "501 5.5.4 Syntax: VRFY address");
    const bool utf8 = words.size() > 2 && settings_[param::smtputf8_enable] && !(discarded_ & keyword::smtputf8) &&
                      bytes::iequals(words.back(), "SMTPUTF8");
    if (utf8)
        words.pop_back();
    std::string text(words[1]);  // people leave the <> out
    for (std::size_t i = 2; i < words.size(); ++i)
        text.append(" ").append(words[i]);
    auto address = read_address(text, "VRFY", false, utf8);
    if (!address)
        return refuse("501 5.1.3 Bad recipient address syntax");
    Recipient r;
    r.address = std::move(*address);
    r.shown = service_.external_log_form ? mail::to_external(r.address) : r.address;
    recipient_ = &r;
    auto denied = check_recipient(r);
    recipient_ = nullptr;
    if (denied)
        return refuse(*denied);
    return say("252 2.0.0 " + bytes::printable(text));
}

bool Session::etrn(Words& words) {
    if (discarded_ & keyword::etrn)
        return refuse("500 5.5.2 Error: command not recognized");
    if (settings_[param::smtpd_helo_required] && helo_.empty())
        return refuse("503 Error: send HELO/EHLO first");
    if (mail_)
        return refuse("503 Error: MAIL transaction in progress");
    if (words.size() != 2)
        return refuse("500 Syntax: ETRN domain");
    std::string_view name = words[1];
    if (name.starts_with('@') || name.starts_with('#'))
        name.remove_prefix(1);
    std::string domain(name);
    if (!mail::valid_hostname(domain, settings_[param::smtputf8_enable]) &&
        !(domain.starts_with('[') && mail::address_literal(std::string_view(domain).substr(1, domain.size() - 2))))
        return refuse("501 Error: invalid parameter syntax");
    etrn_domain_ = domain;
    auto denied = check_etrn(domain);
    etrn_domain_.clear();
    if (denied)
        return refuse(*denied);
    auto reply = service_.flush.ask<ipc::FlushReply>(ipc::FlushRequest{"send_site", domain, ""});
    if (!reply) {
        maillog::warning("ETRN {}: {}", domain, reply.error().reason);
        return refuse(fmt::format("458 Unable to queue messages"));
    }
    switch (reply->status) {
    case ipc::FlushReply::ok: return say("250 Queuing started");
    case ipc::FlushReply::unknown:
        return refuse(fmt::format("459 <{}>: service unavailable", words[1].substr(words[1].size() - domain.size())));
    case ipc::FlushReply::bad:
        maillog::warning("bad ETRN {} from {}", words[1].substr(0, 100), client_.shown);
        return refuse("501 Error: invalid parameter syntax");
    default: return refuse("458 Unable to queue messages");
    }
}

bool Session::quit(Words&) {
    drop_transaction();
    (void)say("221 2.0.0 Bye");
    hang_up_ = true;
    return true;
}

bool Session::auth(Words&) {
    // The same with and without may_authenticate(), while there are no mechanisms.
    return refuse("503 5.5.1 Error: authentication not enabled");
}
}
