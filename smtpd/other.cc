// RSET, NOOP, VRFY, ETRN and QUIT; and AUTH, which is refused: there are no mechanisms, and EHLO offers none.
#include <fmt/format.h>
#include "access/phases.h"
#include "base/bytes.h"
#include "commands.h"
#include "conf/params/commands.h"
#include "conf/params/smtpd.h"
#include "ipc/flush.h"
#include "keywords.h"
#include "log/log.h"
#include "mail/address.h"
#include "session.h"

namespace smtpd {
bool rset(Session& session, Words& words) {
    if (words.size() != 1)
        return session.dialogue.refuse("501 5.5.4 Syntax: RSET");
    session.drop_transaction();
    return session.dialogue.say("250 2.0.0 Ok");
}

bool noop(Session& session, Words&) { return session.dialogue.say("250 2.0.0 Ok"); }

bool vrfy(Session& session, Words& words) {
    if (session.settings[param::disable_vrfy_command])
        return session.dialogue.refuse("502 5.5.1 VRFY command is disabled");
    const bool utf8_offered =
        session.settings[param::smtputf8_enable] && !(session.client.discarded & keyword::smtputf8);
    if (words.size() < 2)
        return session.dialogue.refuse(utf8_offered ? "501 5.5.4 Syntax: VRFY address [SMTPUTF8]"
                                                    : "501 5.5.4 Syntax: VRFY address");
    const bool utf8 = utf8_offered && words.size() > 2 && bytes::iequals(words.back(), "SMTPUTF8");
    if (utf8)
        words.pop_back();
    const std::string text = joined(words, 1);  // people leave the <> out
    auto address = read_address(session, text, "VRFY", false, utf8);
    if (!address)
        return session.dialogue.refuse("501 5.1.3 Bad recipient address syntax");
    EnvelopeRecipient r;
    r.address = std::move(*address);
    r.shown = session.service.external_log_form ? mail::to_external(r.address) : r.address;
    if (auto denied = check_recipient(session, r))
        return session.dialogue.refuse(*denied);
    return session.dialogue.say("252 2.0.0 " + bytes::printable(text));
}

bool etrn(Session& session, Words& words) {
    if (session.client.discarded & keyword::etrn)
        return session.dialogue.refuse("500 5.5.2 Error: command not recognized");
    if (session.settings[param::smtpd_helo_required] && session.client.helo.empty())
        return session.dialogue.refuse("503 Error: send HELO/EHLO first");
    if (session.mail)
        return session.dialogue.refuse("503 Error: MAIL transaction in progress");
    if (words.size() != 2)
        return session.dialogue.refuse("500 Syntax: ETRN domain");
    std::string_view name = words[1];
    if (name.starts_with('@') || name.starts_with('#'))
        name.remove_prefix(1);
    std::string domain(name);
    if (!mail::valid_hostname(domain, session.settings[param::smtputf8_enable]) &&
        !(domain.starts_with('[') && mail::address_literal(std::string_view(domain).substr(1, domain.size() - 2))))
        return session.dialogue.refuse("501 Error: invalid parameter syntax");
    if (auto denied = check_etrn(session, domain))
        return session.dialogue.refuse(*denied);
    if (session.service.stand_alone()) {
        maillog::warning("do not use ETRN in \"sendmail -bs\" mode");
        return session.dialogue.refuse("458 Unable to queue messages");
    }
    auto reply = session.service.flush.ask<ipc::FlushReply>(ipc::FlushRequest{"send_site", domain, ""});
    if (!reply) {
        maillog::warning("ETRN {}: {}", domain, reply.error().reason);
        return session.dialogue.refuse("458 Unable to queue messages");
    }
    switch (reply->status) {
    case ipc::FlushReply::ok: return session.dialogue.say("250 Queuing started");
    case ipc::FlushReply::unknown:
        maillog::warning("reject: ETRN {}... from {}", bytes::printable(domain.substr(0, 100)), session.client.shown);
        return session.dialogue.refuse(
            fmt::format("459 <{}>: service unavailable", words[1].substr(words[1].size() - domain.size())));
    case ipc::FlushReply::bad:
        maillog::warning("bad ETRN {} from {}", words[1].substr(0, 100), session.client.shown);
        return session.dialogue.refuse("501 Error: invalid parameter syntax");
    default: return session.dialogue.refuse("458 Unable to queue messages");
    }
}

bool quit(Session& session, Words&) {
    session.drop_transaction();
    (void)session.dialogue.say("221 2.0.0 Bye");
    session.dialogue.hang_up();
    return true;
}

bool may_authenticate(const Session& session) { return session.client.encryption || !session.service.auth_needs_tls; }

bool auth(Session& session, Words&) { return session.dialogue.refuse("503 5.5.1 Error: authentication not enabled"); }
}
