// RCPT TO: a recipient, through the access rules into the envelope; the first that is accepted opens the way
// downstream.
#include <fmt/format.h>
#include "access/phases.h"
#include "base/bytes.h"
#include "commands.h"
#include "conf/params/commands.h"
#include "conf/params/services.h"
#include "conf/params/smtpd.h"
#include "keywords.h"
#include "log/log.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "session.h"
#include "to_queue.h"

namespace smtpd {
namespace {
// Does the message count as ours? XFORWARD may say so.
bool is_local(Session& session) {
    if (session.forwarded && !session.forwarded->source.empty())
        return session.forwarded->source == "local";
    return session.service.rewrite_clients.include(session.client, session.service);
}

// What the log says of the client beside its name.
std::string origin(const Session& session) {
    std::string out;
    if (session.forwarded) {
        if (!session.forwarded->ident.empty())
            out += ", orig_queue_id=" + session.forwarded->ident;
        out += ", orig_client=" + session.forwarded->shown();
    }
    if (!session.client.login.empty())
        out += ", sasl_method=XCLIENT, sasl_username=" + session.client.login;
    return out;
}

// NOTIFY= and ORCPT=, into the recipient; the reply where they are not to be had.
std::optional<std::string> take_options(const Session& session, EnvelopeRecipient& r, const Words& words) {
    for (std::string_view word : words) {
        const bool notify = bytes::istarts_with(word, "NOTIFY="), original = bytes::istarts_with(word, "ORCPT=");
        if (!notify && !original)
            return "555 5.5.4 Unsupported option: " + bytes::printable(word.substr(0, 200));
        if (session.client.discarded & keyword::dsn)
            return "501 5.7.1 DSN support is disabled";
        if (notify) {
            auto value = mail::parse_notify(word.substr(7));
            if (!value || r.dsn_notify)
                return "501 5.5.4 Error: Bad NOTIFY parameter syntax";
            r.dsn_notify = *value;
        } else {
            auto value = mail::parse_orcpt(word.substr(6), session.settings[param::smtputf8_enable]);
            if (!value || !r.dsn_original.empty())
                return "501 5.5.4 Error: Bad ORCPT parameter syntax";
            r.dsn_original = value->text();
        }
    }
    return std::nullopt;
}
}

bool open_downstream(Session& session) {
    Service& service = session.service;
    Transaction& mail = *session.mail;
    int flags = service.cleanup_flags;
    if (mail.envelope.smtputf8)
        flags |= ipc::cleanup_flags::smtputf8;
    if (mail.envelope.require_tls)
        flags |= ipc::cleanup_flags::require_tls;
    if (mail.actions.hold || session.access.actions.hold)
        flags |= ipc::cleanup_flags::hold;
    if (mail.actions.discard || session.access.actions.discard)
        flags |= ipc::cleanup_flags::discard;
    auto opened = service.submit ? service.submit() : ToQueue::open(service.cleanup, flags);
    if (!opened) {
        maillog::warning("unable to connect to the {} service: {}", service.cleanup.path(), opened.error().reason);
        return session.dialogue.refuse(not_written);
    }
    (*opened)->envelope(mail.envelope, session.client, session.forwarded.get(), is_local(session),
                        session.settings[param::content_filter]);
    mail.downstream = std::move(*opened);
    maillog::info("{}: client={}{}", session.queue_id(), session.client.shown, origin(session));
    return true;
}

bool rcpt_to(Session& session, Words& words) {
    Dialogue& dialogue = session.dialogue;
    if (!session.mail)
        return dialogue.refuse("503 5.5.1 Error: need MAIL command");
    if (session.mail->chunks.begun)
        return dialogue.refuse("503 5.5.1 Error: RCPT after BDAT");
    auto path = take_path(words, "to:");
    if (!path)
        return dialogue.refuse("501 5.5.4 Syntax: RCPT TO:<address>");
    if (!session.gate.count("recipient", param::smtpd_client_recipient_rate_limit,
                            "Recipient address rate limit exceeded"))
        return dialogue.refuse("450 4.7.1 Error: too many recipients from " + session.client.address);
    auto address = mail::balanced(*path)
                       ? read_address(session, *path, "RCPT", session.settings[param::strict_rfc821_envelopes],
                                      session.mail->envelope.smtputf8)
                       : std::nullopt;
    if (!address)
        return dialogue.refuse("501 5.1.3 Bad recipient address syntax");
    EnvelopeRecipient r;
    r.address = std::move(*address);
    r.shown = session.service.external_log_form ? mail::to_external(r.address) : r.address;
    if (auto refusal = take_options(session, r, words))
        return dialogue.refuse(*refusal);
    if (session.settings[param::strict_smtputf8] && !session.mail->envelope.smtputf8 && !bytes::is_ascii(r.address))
        return dialogue.refuse("553 5.6.7 Must declare SMTPUTF8 to send unicode address");
    if (session.mail->accepted >= session.settings[param::smtpd_recipient_limit]) {
        // The first ones beyond the limit are no error of the client's (RFC 5321, section 4.5.3.1.10).
        bool excess = ++session.mail->refused_over_limit > session.settings[param::smtpd_recipient_overshoot_limit];
        (void)dialogue.say("452 4.5.3 Error: too many recipients");
        return !excess;
    }
    if (auto denied = check_recipient(session, r))
        return dialogue.refuse(*denied);
    if (!session.mail->downstream && !open_downstream(session))
        return false;
    if (auto refused = session.mail->downstream->add(r))
        return dialogue.refuse(*refused);
    ++session.mail->accepted;
    session.mail->last_recipient = r.address;
    return dialogue.say("250 2.1.5 Ok");
}
}
