// HELO and EHLO.
#include "access/phases.h"
#include "base/bytes.h"
#include "commands.h"
#include "conf/params/cleanup.h"
#include "conf/params/commands.h"
#include "conf/params/smtpd.h"
#include "keywords.h"
#include "log/log.h"
#include "mail/header.h"
#include "session.h"

namespace smtpd {
unsigned not_offered(Session& session) {
    unsigned off = session.client.discarded;
    if (session.settings[param::disable_vrfy_command])
        off |= keyword::vrfy;
    // Where TLS is a must, one that cannot be had is offered all the same: a client that hears 454 comes again.
    const bool offered = session.service.tls_usable || session.service.tls_level == TlsLevel::encrypt;
    if (!offered || session.client.encryption)
        off |= keyword::starttls;
    if (!may_authenticate(session))
        off |= keyword::auth;
    if (!session.settings[param::smtputf8_enable])
        off |= keyword::smtputf8;
    if (!session.settings[param::requiretls_enable] || !session.client.encryption)
        off |= keyword::requiretls;  // RFC 8689, section 2: within TLS only
    if (!may_pretend(session))
        off |= keyword::xclient;
    if (!session.client.may_forward(session.service))
        off |= keyword::xforward;
    return off;
}

namespace {
std::string ehlo_reply(Session& session) {
    std::vector<std::string> lines{session.settings[param::myhostname]};
    const unsigned off = not_offered(session);
    auto offer = [&](unsigned bit, std::string text) {
        if (!(off & bit))
            lines.push_back(std::move(text));
    };
    offer(keyword::pipelining, "PIPELINING");
    offer(keyword::size, session.settings[param::message_size_limit] > 0
                             ? "SIZE " + std::to_string(session.settings[param::message_size_limit])
                             : "SIZE");
    offer(keyword::vrfy, "VRFY");
    offer(keyword::etrn, "ETRN");
    offer(keyword::starttls, "STARTTLS");
    if (may_ask_verp(session))
        offer(keyword::verp, "XVERP");
    offer(keyword::xclient, "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT");
    offer(keyword::xforward, "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT");
    offer(keyword::enhancedstatuscodes, "ENHANCEDSTATUSCODES");
    offer(keyword::eightbitmime, "8BITMIME");
    offer(keyword::dsn, "DSN");
    offer(keyword::smtputf8, "SMTPUTF8");
    offer(keyword::chunking, "CHUNKING");
    offer(keyword::requiretls, "REQUIRETLS");
    std::string reply;
    for (std::size_t i = 0; i < lines.size(); ++i)
        reply += (i + 1 < lines.size() ? "250-" : "250 ") + lines[i] + (i + 1 < lines.size() ? "\r\n" : "");
    return reply;
}

bool hello(Session& session, Words& words, bool extended) {
    if (words.size() < 2)
        return session.dialogue.refuse(extended ? "501 Syntax: EHLO hostname" : "501 Syntax: HELO hostname");
    // It goes into Received: and into the log; what else is odd about it is for the rules to judge.
    std::string name =
        mail::received_name(bytes::printable(joined(words, 1), session.settings[param::smtputf8_enable]));
    session.drop_transaction();
    session.client.helo.clear();
    if (!session.settings[param::smtpd_delay_reject]) {
        if (auto denied = check_helo(session, name))
            return session.dialogue.refuse(*denied);
    }
    session.client.esmtp = extended;
    session.client.helo = std::move(name);
    // Named once for each EHLO, as far as they would have been offered.
    if (std::string names = keyword_names(session.client.discarded);
        extended && !names.empty() && !(session.client.discarded & keyword::silent))
        maillog::info("discarding EHLO keywords: {}", names);
    return session.dialogue.say(extended ? ehlo_reply(session) : "250 " + session.settings[param::myhostname]);
}
}

bool helo(Session& session, Words& words) { return hello(session, words, false); }
bool ehlo(Session& session, Words& words) { return hello(session, words, true); }
}
