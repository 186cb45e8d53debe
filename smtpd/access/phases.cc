// The rules of each moment of a session, in the administrator's order: the lists that belong to it, and what is checked
// without being named in one.
#include <utility>
#include "access/check.h"
#include "base/bytes.h"
#include "conf/params/smtpd.h"
#include "mail/address.h"

namespace smtpd {
// Each list may permit for its own phase only.

std::optional<std::string> Session::check_client() {
    Check check(*this, Phase::client, deferrals_);
    Verdict v = check.run(service_.client_rules);
    return v == Verdict::reject ? std::optional(check.reply()) : std::nullopt;
}
std::optional<std::string> Session::check_helo(std::string name) {
    std::string before = std::exchange(helo_, std::move(name));
    Check check(*this, Phase::helo, deferrals_);
    Verdict v = check.run(service_.helo_rules);
    helo_ = std::move(before);
    return v == Verdict::reject ? std::optional(check.reply()) : std::nullopt;
}
std::optional<std::string> Session::check_sender() {
    mail_->deferrals = deferrals_;
    Check check(*this, Phase::sender, mail_->deferrals);
    Verdict v = check.run(service_.sender_rules);
    if (v != Verdict::reject && !mail_->sender.empty() && settings_[param::smtpd_reject_unlisted_sender] &&
        !check.looked_for(Of::sender))
        v = unlisted(check, Of::sender, mail_->sender);
    return v == Verdict::reject ? std::optional(check.reply()) : std::nullopt;
}

// For VRFY too, where there may be no transaction.
std::optional<std::string> Session::check_recipient(const Recipient& r) {
    if (bytes::iequals(r.address, "postmaster"))
        return std::nullopt;  // RFC 5321, section 4.5.1: whatever the rules say
    if (settings_[param::smtpd_delay_reject]) {
        deferrals_ = {};
        if (auto denied = check_client())
            return denied;
        if (!helo_.empty())
            if (auto denied = check_helo(helo_))
                return denied;
        if (mail_)
            if (auto denied = check_sender())
                return denied;
    }
    Deferrals deferrals = mail_ ? mail_->deferrals : deferrals_;
    Check check(*this, Phase::recipient, deferrals);
    for (bool relay : {settings_[param::smtpd_relay_before_recipient_restrictions],
                       !settings_[param::smtpd_relay_before_recipient_restrictions]}) {
        check.enter(relay ? Phase::relay : Phase::recipient);
        if (check.run(relay ? service_.relay_rules : service_.recipient_rules) == Verdict::reject)
            return check.reply();
    }
    check.enter(Phase::recipient);
    if (check.settle(Verdict::dunno) == Verdict::reject)
        return check.reply();
    bool discarded = mail_ && mail_->actions.discard;
    if (discarded || !settings_[param::smtpd_reject_unlisted_recipient] || service_.no_unknown_recipient_checks ||
        check.looked_for(Of::recipient))
        return std::nullopt;
    return unlisted(check, Of::recipient, r.address) == Verdict::reject ? std::optional(check.reply()) : std::nullopt;
}

std::optional<std::string> Session::check_content(Phase phase) {
    const RestrictionList& rules = phase == Phase::data ? service_.data_rules : service_.end_of_data_rules;
    if (rules.empty())
        return std::nullopt;
    Deferrals deferrals;
    Check check(*this, phase, deferrals);
    Recipient only;  // with one recipient its rules apply here too
    if (mail_->accepted == 1) {
        only.address = mail_->last_recipient;
        only.shown = service_.external_log_form ? mail::to_external(only.address) : only.address;
        recipient_ = &only;
    }
    bool refused = check.settle(check.run(rules)) == Verdict::reject;
    recipient_ = nullptr;
    return refused ? std::optional(check.reply()) : std::nullopt;
}

std::optional<std::string> Session::check_etrn(const std::string&) {
    if (settings_[param::smtpd_delay_reject]) {
        deferrals_ = {};
        if (auto denied = check_client())
            return denied;
        if (!helo_.empty())
            if (auto denied = check_helo(helo_))
                return denied;
    }
    Deferrals deferrals = deferrals_;
    Check check(*this, Phase::etrn, deferrals);
    return check.settle(check.run(service_.etrn_rules)) == Verdict::reject ? std::optional(check.reply())
                                                                           : std::nullopt;
}
}
