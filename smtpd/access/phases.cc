#include "access/phases.h"
#include <utility>
#include "access/check.h"
#include "base/bytes.h"
#include "conf/params/smtpd.h"
#include "mail/address.h"

namespace smtpd {
namespace {
std::optional<std::string> reply_of(const Check& check, Verdict verdict) {
    return verdict == Verdict::reject ? std::optional(check.reply()) : std::nullopt;
}

// --- Each list may permit for its own phase only. about: whom the command that waits for the answer names.

std::optional<std::string> client_rules(Session& session, const About& about) {
    Check check(session, Phase::client, session.access.deferrals, about);
    return reply_of(check, check.run(session.service.rules.client));
}

std::optional<std::string> helo_rules(Session& session, std::string name, const About& about) {
    std::string before = std::exchange(session.client.helo, std::move(name));
    Check check(session, Phase::helo, session.access.deferrals, about);
    const Verdict verdict = check.run(session.service.rules.helo);
    session.client.helo = std::move(before);
    return reply_of(check, verdict);
}

std::optional<std::string> sender_rules(Session& session, const About& about) {
    Transaction& mail = *session.mail;
    mail.deferrals = session.access.deferrals;
    Check check(session, Phase::sender, mail.deferrals, about);
    Verdict verdict = check.run(session.service.rules.sender);
    if (verdict != Verdict::reject && !mail.envelope.sender.empty() &&
        session.settings[param::smtpd_reject_unlisted_sender] && !check.looked_for(Of::sender))
        verdict = unlisted(check, Of::sender, mail.envelope.sender);
    return reply_of(check, verdict);
}

// smtpd_delay_reject: what was put off until somebody is named.
std::optional<std::string> delayed_rules(Session& session, const About& about) {
    session.access.deferrals = {};
    if (auto denied = client_rules(session, about))
        return denied;
    if (!session.client.helo.empty())
        return helo_rules(session, session.client.helo, about);
    return std::nullopt;
}
}

std::optional<std::string> check_client(Session& session) { return client_rules(session, {}); }
std::optional<std::string> check_helo(Session& session, std::string name) {
    return helo_rules(session, std::move(name), {});
}
std::optional<std::string> check_sender(Session& session) { return sender_rules(session, {}); }

std::optional<std::string> check_recipient(Session& session, const EnvelopeRecipient& recipient) {
    if (bytes::iequals(recipient.address, "postmaster"))
        return std::nullopt;  // RFC 5321, section 4.5.1: whatever the rules say
    const Service& service = session.service;
    const conf::Settings& settings = session.settings;
    const About about{&recipient, {}};
    if (settings[param::smtpd_delay_reject]) {
        if (auto denied = delayed_rules(session, about))
            return denied;
        if (session.mail)
            if (auto denied = sender_rules(session, about))
                return denied;
    }
    Deferrals deferrals = session.mail ? session.mail->deferrals : session.access.deferrals;
    Check check(session, Phase::recipient, deferrals, about);
    const bool relay_first = settings[param::smtpd_relay_before_recipient_restrictions];
    for (bool relay : {relay_first, !relay_first}) {
        check.enter(relay ? Phase::relay : Phase::recipient);
        if (check.run(relay ? service.rules.relay : service.rules.recipient) == Verdict::reject)
            return check.reply();
    }
    check.enter(Phase::recipient);
    if (check.settle(Verdict::dunno) == Verdict::reject)
        return check.reply();
    const bool discarded = session.mail && session.mail->actions.discard;
    if (discarded || !settings[param::smtpd_reject_unlisted_recipient] || service.no_unknown_recipient_checks ||
        check.looked_for(Of::recipient))
        return std::nullopt;
    return reply_of(check, unlisted(check, Of::recipient, recipient.address));
}

std::optional<std::string> check_content(Session& session, Phase phase) {
    const RestrictionList& rules =
        phase == Phase::data ? session.service.rules.data : session.service.rules.end_of_data;
    if (rules.empty())
        return std::nullopt;
    Deferrals deferrals;
    EnvelopeRecipient only;  // with one recipient its rules apply here too
    const bool one = session.mail->accepted == 1;
    if (one) {
        only.address = session.mail->last_recipient;
        only.shown = session.service.external_log_form ? mail::to_external(only.address) : only.address;
    }
    Check check(session, phase, deferrals, About{one ? &only : nullptr, {}});
    return reply_of(check, check.settle(check.run(rules)));
}

std::optional<std::string> check_etrn(Session& session, const std::string& domain) {
    const About about{nullptr, domain};
    if (session.settings[param::smtpd_delay_reject])
        if (auto denied = delayed_rules(session, about))
            return denied;
    Deferrals deferrals = session.access.deferrals;
    Check check(session, Phase::etrn, deferrals, about);
    return reply_of(check, check.settle(check.run(session.service.rules.etrn)));
}
}
