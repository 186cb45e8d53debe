#include "access/check.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "log/log.h"

namespace smtpd {
namespace {
constexpr int depth_limit = 100, table_depth_limit = 20;
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
    if (service().permit_actions.empty())
        return Verdict::permit;
    auto wanted = service().permit_actions.match(action);
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
    Verdict verdict = run(*service().lists.from_table(text, phase()));
    --table_lists_;
    return verdict;
}
}
