#include "access/check.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "mail/address.h"
#include "tls/info.h"

namespace smtpd {
namespace {
constexpr int depth_limit = 100;
std::string shown_or(const std::string& text, bool external) { return external ? mail::to_external(text) : text; }
}

// --- what rules speak of

const std::string& Check::sender() const {
    static const std::string none;
    return session_.mail() ? session_.mail()->sender : none;
}
const std::string& Check::recipient() const {
    static const std::string none;
    return session_.recipient() ? session_.recipient()->address : none;
}
Check::Subject Check::client_subject() const { return {session_.client().shown, "Client host"}; }
Check::Subject Check::helo_subject() const { return {session_.helo(), "Helo command"}; }
Check::Subject Check::address_subject(bool of_sender) const {
    const std::string& address = of_sender ? sender() : recipient();
    return {address, of_sender ? "Sender address" : "Recipient address"};
}
Check::Subject Check::subject() const {
    switch (phase_) {
    case Phase::client: return client_subject();
    case Phase::helo: return helo_subject();
    case Phase::sender: return address_subject(true);
    case Phase::relay:
    case Phase::recipient: return address_subject(false);
    case Phase::data: return {"DATA", "Data command"};
    case Phase::end_of_data: return {"END-OF-MESSAGE", "End-of-data"};
    default: return {session_.etrn_domain(), "Etrn command"};
    }
}

// --- answers

std::string fitting_status(int code, std::string_view status, std::string_view reply_class) {
    EnhancedStatus s;
    if (EnhancedStatus::parse(status, s) == 0)
        s = {5, 7, 1};
    s.klass = static_cast<std::uint8_t>(code / 100 == 4 ? 4 : 5);
    if (s.subject == 1) {
        if (reply_class == "Sender address") {
            if (s.detail == 2)
                s.detail = 8;
            else if (s.detail == 1 || s.detail == 3 || s.detail == 4 || s.detail == 6)
                s.detail = 7;
            else if (s.detail == 5)
                s.detail = 0;
        } else if (reply_class == "Recipient address") {
            if (s.detail == 7)
                s.detail = 3;
            else if (s.detail == 8)
                s.detail = 2;
        } else if (s.detail <= 8)
            s.subject = s.detail = 0;
    }
    return s.text();
}

Verdict Check::refuse(int code, std::string_view status, std::string text) {
    EnhancedStatus s;
    EnhancedStatus::parse(status, s);
    s.klass = static_cast<std::uint8_t>(code / 100 == 4 ? 4 : 5);
    std::string reply = fmt::format("{} {} {}", code, s.text(), bytes::printable(text));
    if (warn_) {
        session_.log_event("reject_warning", reply);
        return Verdict::dunno;
    }
    if (deferrals_.if_reject.active && code / 100 == 5)
        reply = fmt::format("{} {}", deferrals_.if_reject.code, deferrals_.if_reject.text);
    session_.log_event("reject", reply);
    reply_ = std::move(reply);
    return Verdict::reject;
}
Verdict Check::refuse(int code, std::string_view status, const Subject& s, std::string_view text) {
    return refuse(code, fitting_status(code, status, s.klass),
                  fmt::format("<{}>: {} rejected: {}", s.name, s.klass, text));
}
Verdict Check::misconfigured() {
    bool warn = warn_;
    warn_ = false;
    Verdict v = refuse(451, "4.3.5", "Server configuration error");
    warn_ = warn;
    return v;
}

Verdict Check::permit(std::string_view action, const Subject& s, std::string_view table) {
    if (service_.permit_actions.empty())
        return Verdict::permit;
    auto wanted = service_.permit_actions.match(action);
    if (wanted && *wanted)
        session_.log_event("permit", fmt::format("action={} for {}={} {}{}", action, s.klass, s.name,
                                                 table.empty() ? "" : "from ", table));
    return Verdict::permit;
}

void Check::defer_if_permit(int code, std::string_view status, std::string text) {
    if (deferrals_.if_permit.active)
        return;
    if (warn_) {
        session_.log_event("reject_warning", fmt::format("{} {} {}", code, status, text));
        return;
    }
    deferrals_.if_permit = {true, std::string(status) + " " + bytes::printable(text), code};
}
void Check::defer_if_reject(int code, std::string_view status, std::string text) {
    if (!deferrals_.if_reject.active && !warn_)
        deferrals_.if_reject = {true, std::string(status) + " " + bytes::printable(text), code};
}
Verdict Check::put_off(const std::string& tempfail, std::string_view status, std::string text) {
    if (bytes::iequals(tempfail, "defer"))
        return refuse(450, status, std::move(text));
    defer_if_permit(450, status, std::move(text));
    return Verdict::dunno;
}

Verdict Check::settle(Verdict verdict) {
    if (verdict == Verdict::reject || !deferrals_.if_permit.active)
        return verdict;
    reply_ = fmt::format("{} {}", deferrals_.if_permit.code, deferrals_.if_permit.text);
    session_.log_event("reject", reply_);
    return Verdict::reject;
}

// --- lists

Verdict Check::run(const RestrictionList& list, int depth) {
    if (depth > depth_limit) {
        maillog::warning("restriction lists nest deeper than {}", depth_limit);
        return misconfigured();
    }
    bool warn_next = false;
    for (const Restriction& r : list.steps) {
        if (r.step == Step::warn_if_reject) {
            warn_next = true;
            continue;
        }
        bool outer = warn_;
        warn_ = warn_ || warn_next;
        Verdict v = step(r, depth);
        warn_ = outer;
        warn_next = false;
        if (v != Verdict::dunno)
            return v;
    }
    return Verdict::dunno;
}

Verdict Check::step(const Restriction& r, int depth) {
    const conf::Settings& s = service_.settings();
    auto code = [&](const conf::Int& p) { return static_cast<int>(s[p]); };
    const bool have_sender = session_.mail() != nullptr, have_recipient = session_.recipient() != nullptr,
               have_helo = !session_.helo().empty();
    switch (r.step) {
    case Step::broken: maillog::warning("restriction \"{}\" is not usable", r.name); return misconfigured();
    case Step::no_match:
    case Step::warn_if_reject: return Verdict::dunno;
    case Step::permit: return permit(r, subject());
    case Step::reject: return refuse(code(param::reject_code), "5.7.1", subject(), "Access denied");
    case Step::defer: return refuse(code(param::defer_code), "4.7.1", subject(), "Access denied");
    case Step::defer_if_permit: {
        Subject t = subject();
        defer_if_permit(450, "4.7.0", fmt::format("<{}>: {} rejected: defer_if_permit requested", t.name, t.klass));
        return Verdict::dunno;
    }
    case Step::defer_if_reject: {
        Subject t = subject();
        defer_if_reject(450, "4.7.0", fmt::format("<{}>: {} rejected: defer_if_reject requested", t.name, t.klass));
        return Verdict::dunno;
    }
    case Step::sleep: loop::sleep_until(loop::in(std::chrono::seconds(r.number))); return Verdict::dunno;
    case Step::members: return run(*r.members, depth + 1);
    case Step::permit_inet_interfaces:
        return session_.client().here() || service_.local_domains.own_address(session_.client().address)
                   ? permit(r, client_subject())
                   : Verdict::dunno;
    case Step::permit_mynetworks: return mynetworks(r);
    case Step::permit_tls_clientcerts: return listed_certificate(r);
    case Step::permit_tls_all_clientcerts: return all_certificates(r);
    case Step::check_ccert: return table_certificate(r);
    case Step::permit_auth_destination: return have_recipient ? auth_destination(r, 0) : Verdict::dunno;
    case Step::permit_mx_backup: return have_recipient ? mx_backup(r) : Verdict::dunno;
    case Step::reject_unauth_destination:
        return have_recipient ? auth_destination(r, code(param::relay_domains_reject_code)) : Verdict::dunno;
    case Step::defer_unauth_destination:
        return have_recipient ? auth_destination(r, code(param::relay_domains_reject_code) - 100) : Verdict::dunno;
    case Step::reject_unauth_pipelining:
        return session_.pipelined_early() ? refuse(503, "5.5.0", subject(), "Improper use of SMTP command pipelining")
                                          : Verdict::dunno;
    case Step::reject_plaintext_session:
        return session_.encrypted()
                   ? Verdict::dunno
                   : refuse(code(param::plaintext_reject_code), "5.7.1", "Session encryption is required");
    case Step::reject_multi_recipient_bounce:
        if (!have_sender || !sender().empty())
            return Verdict::dunno;
        // At RCPT the recipient in question is not among those accepted; behind DATA all are.
        if (session_.mail()->accepted + (phase_ == Phase::data || phase_ == Phase::end_of_data ? 0 : 1) < 2)
            return Verdict::dunno;
        return refuse(code(param::multi_recipient_bounce_reject_code), "5.5.3", subject(), "Multi-recipient bounce");
    case Step::reject_unknown_client: return unknown_client(false);
    case Step::reject_unknown_forward_client: return unknown_client(true);
    case Step::reject_unknown_reverse_client: {
        const Client& c = session_.client();
        if (c.reverse_name != "unknown" && c.reverse_status == dns::Verdict::ok)
            return Verdict::dunno;
        int n = c.reverse_status == dns::Verdict::permanent ? code(param::unknown_client_reject_code) : 450;
        return refuse(n, "5.7.25",
                      fmt::format("Client host rejected: cannot find your reverse hostname, [{}]", c.address));
    }
    case Step::reject_invalid_helo: return have_helo ? invalid_helo() : Verdict::dunno;
    case Step::reject_non_fqdn_helo: return have_helo ? non_fqdn_helo() : Verdict::dunno;
    case Step::reject_unknown_helo: return have_helo ? unknown_helo() : Verdict::dunno;
    case Step::reject_non_fqdn_sender:
        return have_sender && !sender().empty() ? non_fqdn_address(true) : Verdict::dunno;
    case Step::reject_unknown_sender_domain:
        return have_sender && !sender().empty() ? unknown_domain(true) : Verdict::dunno;
    case Step::reject_unlisted_sender:
        return have_sender && !sender().empty() ? unlisted(sender(), true) : Verdict::dunno;
    case Step::reject_non_fqdn_recipient: return have_recipient ? non_fqdn_address(false) : Verdict::dunno;
    case Step::reject_unknown_recipient_domain: return have_recipient ? unknown_domain(false) : Verdict::dunno;
    case Step::reject_unlisted_recipient: return have_recipient ? unlisted(recipient(), false) : Verdict::dunno;
    case Step::reject_rbl_client: return address_list(r, false);
    case Step::permit_dnswl_client: return address_list(r, true);
    case Step::reject_rhsbl_client: return domain_list(r, session_.client().name, client_subject(), false);
    case Step::permit_rhswl_client: return domain_list(r, session_.client().name, client_subject(), true);
    case Step::reject_rhsbl_reverse_client:
        return domain_list(r, session_.client().reverse_name, client_subject(), false);
    case Step::reject_rhsbl_helo:
        return have_helo ? domain_list(r, session_.helo(), helo_subject(), false) : Verdict::dunno;
    case Step::reject_rhsbl_sender:
        return have_sender
                   ? domain_list(r, mail::split_address(sender()).domain.value_or(""), address_subject(true), false)
                   : Verdict::dunno;
    case Step::reject_rhsbl_recipient:
        return have_recipient
                   ? domain_list(r, mail::split_address(recipient()).domain.value_or(""), address_subject(false), false)
                   : Verdict::dunno;
    case Step::check_client: return table_host(r, session_.client().name, client_subject(), true);
    case Step::check_reverse_client: return table_host(r, session_.client().reverse_name, client_subject(), true);
    case Step::check_helo: return have_helo ? table_host(r, session_.helo(), helo_subject(), false) : Verdict::dunno;
    case Step::check_sender: return have_sender ? table_address(r, true) : Verdict::dunno;
    case Step::check_recipient: return have_recipient ? table_address(r, false) : Verdict::dunno;
    case Step::check_etrn:
        return phase_ == Phase::etrn ? table_host(r, session_.etrn_domain(), subject(), false) : Verdict::dunno;
    case Step::check_client_a: return table_servers(r, session_.client().name, client_subject(), dns::Type::a);
    case Step::check_client_mx: return table_servers(r, session_.client().name, client_subject(), dns::Type::mx);
    case Step::check_client_ns: return table_servers(r, session_.client().name, client_subject(), dns::Type::ns);
    case Step::check_reverse_client_a:
        return table_servers(r, session_.client().reverse_name, client_subject(), dns::Type::a);
    case Step::check_reverse_client_mx:
        return table_servers(r, session_.client().reverse_name, client_subject(), dns::Type::mx);
    case Step::check_reverse_client_ns:
        return table_servers(r, session_.client().reverse_name, client_subject(), dns::Type::ns);
    case Step::check_helo_a:
        return have_helo ? table_servers(r, session_.helo(), helo_subject(), dns::Type::a) : Verdict::dunno;
    case Step::check_helo_mx:
        return have_helo ? table_servers(r, session_.helo(), helo_subject(), dns::Type::mx) : Verdict::dunno;
    case Step::check_helo_ns:
        return have_helo ? table_servers(r, session_.helo(), helo_subject(), dns::Type::ns) : Verdict::dunno;
    case Step::check_sender_a:
    case Step::check_sender_mx:
    case Step::check_sender_ns:
        return table_servers(r, mail::split_address(sender()).domain.value_or(""), address_subject(true),
                             r.step == Step::check_sender_a    ? dns::Type::a
                             : r.step == Step::check_sender_mx ? dns::Type::mx
                                                               : dns::Type::ns);
    case Step::check_recipient_a:
    case Step::check_recipient_mx:
    case Step::check_recipient_ns:
        return table_servers(r, mail::split_address(recipient()).domain.value_or(""), address_subject(false),
                             r.step == Step::check_recipient_a    ? dns::Type::a
                             : r.step == Step::check_recipient_mx ? dns::Type::mx
                                                                  : dns::Type::ns);
    }
    return misconfigured();
}

// --- phases. Each list may permit for its own phase only.

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
    if (v != Verdict::reject && !mail_->sender.empty() && service_.reject_unlisted_sender && !check.sender_checked_)
        v = check.unlisted(mail_->sender, true);
    return v == Verdict::reject ? std::optional(check.reply()) : std::nullopt;
}

// For VRFY too, where there may be no transaction.
std::optional<std::string> Session::check_recipient(const Recipient& r) {
    if (bytes::iequals(r.address, "postmaster"))
        return std::nullopt;  // RFC 5321, section 4.5.1: whatever the rules say
    if (service_.delay_reject) {
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
    for (bool relay : {service_.relay_first, !service_.relay_first}) {
        check.phase_ = relay ? Phase::relay : Phase::recipient;
        if (check.run(relay ? service_.relay_rules : service_.recipient_rules) == Verdict::reject)
            return check.reply();
    }
    check.phase_ = Phase::recipient;
    if (check.settle(Verdict::dunno) == Verdict::reject)
        return check.reply();
    bool discarded = mail_ && mail_->actions.discard;
    if (discarded || !service_.reject_unlisted_recipient || service_.no_unknown_recipient_checks ||
        check.recipient_checked_)
        return std::nullopt;
    return check.unlisted(r.address, false) == Verdict::reject ? std::optional(check.reply()) : std::nullopt;
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
        only.shown = shown_or(only.address, service_.external_log_form);
        recipient_ = &only;
    }
    bool refused = check.settle(check.run(rules)) == Verdict::reject;
    recipient_ = nullptr;
    return refused ? std::optional(check.reply()) : std::nullopt;
}

std::optional<std::string> Session::check_etrn(const std::string&) {
    if (service_.delay_reject) {
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
