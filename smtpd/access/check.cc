#include "access/check.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "mail/address.h"
#include "tls/info.h"

namespace smtpd {
namespace {
constexpr int depth_limit = 100, table_depth_limit = 20;
}

// --- what rules speak of

const std::string& Check::sender() const {
    static const std::string none;
    return session_.mail ? session_.mail->envelope.sender : none;
}
const std::string& Check::recipient() const {
    static const std::string none;
    return about_.recipient ? about_.recipient->address : none;
}
bool Check::known(Of of) const {
    switch (of) {
    case Of::helo: return !session_.client.helo.empty();
    case Of::sender: return session_.mail != nullptr;
    case Of::recipient: return about_.recipient != nullptr;
    case Of::etrn: return phase_ == Phase::etrn;
    default: return true;
    }
}
std::string_view Check::host(Of of) const {
    switch (of) {
    case Of::client: return session_.client.name;
    case Of::reverse_client: return session_.client.reverse_name;
    case Of::helo: return session_.client.helo;
    case Of::etrn: return about_.etrn_domain;
    default: return mail::split_address(address(of)).domain.value_or("");
    }
}
Check::Subject Check::subject(Of of) const {
    switch (of) {
    case Of::client:
    case Of::reverse_client: return {session_.client.shown, "Client host"};
    case Of::helo: return {session_.client.helo, "Helo command"};
    case Of::sender: return {sender(), "Sender address"};
    case Of::recipient: return {recipient(), "Recipient address"};
    case Of::etrn: return {std::string(about_.etrn_domain), "Etrn command"};
    default: return subject();
    }
}
Check::Subject Check::subject() const {
    switch (phase_) {
    case Phase::client: return subject(Of::client);
    case Phase::helo: return subject(Of::helo);
    case Phase::sender: return subject(Of::sender);
    case Phase::relay:
    case Phase::recipient: return subject(Of::recipient);
    case Phase::data: return {"DATA", "Data command"};
    case Phase::end_of_data: return {"END-OF-MESSAGE", "End-of-data"};
    default: return subject(Of::etrn);
    }
}

Actions& Check::actions() {
    const bool whole_session =
        !settings()[param::smtpd_delay_reject] && (phase_ == Phase::client || phase_ == Phase::helo);
    return session_.mail && !whole_session ? session_.mail->actions : session_.access.actions;
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
        log("reject_warning", reply);
        return Verdict::dunno;
    }
    if (deferrals_.if_reject.active && code / 100 == 5)
        reply = fmt::format("{} {}", deferrals_.if_reject.code, deferrals_.if_reject.text);
    log("reject", reply);
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

Verdict Check::unavailable(std::string_view name) {
    return refuse(451, "4.3.0", fmt::format("<{}>: Temporary lookup failure", name));
}

Verdict Check::permit(std::string_view action, const Subject& s, std::string_view table) {
    if (session_.service.permit_actions.empty())
        return Verdict::permit;
    auto wanted = session_.service.permit_actions.match(action);
    if (wanted && *wanted)
        log("permit",
            fmt::format("action={} for {}={} {}{}", action, s.klass, s.name, table.empty() ? "" : "from ", table));
    return Verdict::permit;
}

void Check::defer_if_permit(int code, std::string_view status, std::string text) {
    if (deferrals_.if_permit.active)
        return;
    if (warn_) {
        log("reject_warning", fmt::format("{} {} {}", code, status, text));
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
    log("reject", reply_);
    return Verdict::reject;
}

// --- lists

Verdict Check::run(const RestrictionList& list) {
    if (lists_ > depth_limit) {
        maillog::warning("restriction lists nest deeper than {}", depth_limit);
        return misconfigured();
    }
    ++lists_;
    Verdict verdict = Verdict::dunno;
    bool warn_next = false;
    for (const Restriction& r : list.steps) {
        const bool outer = warn_;
        warn_ = outer || warn_next;
        warn_next = r.rule->is(Rule::warn);
        if (known(r.rule->of))
            verdict = r.rule->judge(*this, r);
        warn_ = outer;
        if (verdict != Verdict::dunno)
            break;
    }
    --lists_;
    return verdict;
}

Verdict Check::run_from_table(const Restriction& r, std::string_view key, std::string_view text) {
    if (++table_lists_ > table_depth_limit) {
        maillog::warning("access table {} entry {} causes unreasonable recursion", r.argument, key);
        return misconfigured();
    }
    Verdict verdict = run(*session_.service.lists.from_table(text, phase_));
    --table_lists_;
    return verdict;
}
}
