// STARTTLS, and TLS from the first byte (smtpd_tls_wrappermode).
#include "base/bytes.h"
#include "commands.h"
#include "conf/params/smtpd.h"
#include "keywords.h"
#include "log/log.h"
#include "session.h"
#include "tls/server_context.h"
#include "tls/session.h"

namespace smtpd {
bool starttls(Session& session, Words& words) {
    if (words.size() != 1)
        return session.dialogue.refuse("501 5.5.4 Syntax: STARTTLS");
    if (session.service.tls_level == TlsLevel::none || (session.client.discarded & keyword::starttls))
        return session.dialogue.refuse("502 5.5.1 Error: command not implemented");
    if (!session.service.tls_usable)
        return session.dialogue.refuse("454 4.7.0 TLS not available due to local problem");
    if (session.client.encryption)
        return session.dialogue.refuse("554 5.5.1 Error: TLS already active");
    if (session.gate.over("newtls_status", param::smtpd_client_new_tls_session_rate_limit)) {
        maillog::warning("Refusing STARTTLS request from {} for service {}", session.client.shown,
                         session.service.service_ident);
        return session.dialogue.refuse("454 4.7.0 Error: too many new TLS sessions from " + session.client.shown);
    }
    // What was sent in the clear behind STARTTLS is thrown away: acted upon within TLS it would be an attacker's
    // (CVE-2011-0411).
    if (std::string_view behind = session.stream.buffered(); !behind.empty()) {
        maillog::info("improper command pipelining after STARTTLS from {}: {}", session.client.shown,
                      bytes::escaped(behind.substr(0, 100)));
        session.pipelined_early = true;
        session.stream.discard_input();
    }
    (void)session.dialogue.say("220 2.0.0 Ready to start TLS");
    if (!session.dialogue.flush()) {
        session.lost();
        return false;
    }
    if (!handshake(session, false)) {
        session.dialogue.hang_up();
        return false;
    }
    // RFC 3207: everything that was said before is forgotten.
    session.drop_transaction();
    session.client.helo.clear();
    session.client.esmtp = false;
    return true;
}

bool handshake(Session& session, bool wrapper) {
    if (!session.service.tls) {
        maillog::warning("Wrapper-mode request dropped from {} for service {}. TLS context initialization failed. For "
                         "details see earlier warnings in your logs.",
                         session.client.shown, session.service.service_ident);
        return false;
    }
    if (wrapper && session.gate.over("newtls_status", param::smtpd_client_new_tls_session_rate_limit)) {
        maillog::warning("Refusing TLS service request from {} for service {}", session.client.shown,
                         session.service.service_ident);
        return false;
    }
    session.stream.discard_input();  // plaintext before the handshake is never acted upon
    auto info =
        tls::accept(session.stream, *session.service.tls, loop::in(session.settings[param::smtpd_starttls_timeout]),
                    session.client.shown, {session.client.name, session.client.address});
    if (!info) {
        maillog::info("{}lost connection after {} from {}", session.early_end(), session.state, session.client.shown);
        return false;
    }
    session.client.encryption = std::make_shared<const tls::Info>(std::move(*info));
    if (!session.client.encryption->resumed &&
        !session.gate.count("newtls", param::smtpd_client_new_tls_session_rate_limit,
                            "New TLS session rate limit exceeded"))
        return false;
    // smtpd_tls_req_ccert: the handshake was good, the client is not.
    if (session.service.tls->requires_certificate() && !session.client.encryption->trusted()) {
        maillog::info("NOQUEUE: abort: TLS from {}: {}", session.client.shown,
                      session.client.encryption->peer_certificate ? "Client certificate not trusted"
                                                                  : "No client certificate presented");
        session.dialogue.hang_up();
        return !wrapper;
    }
    return true;
}
}
