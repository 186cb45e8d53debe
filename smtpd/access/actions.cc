// What an access table's right-hand side means (access(5)): an action with its text, or a list of restrictions.
//
// When things fail: an entry that cannot be followed is skipped, with a warning; an empty one answers 451 4.3.5.
#include <fmt/format.h>
#include "access/check.h"
#include "base/bytes.h"
#include "conf/params/smtpd.h"
#include "log/log.h"
#include "mail/header.h"
#include "mail/reply.h"

namespace smtpd {
namespace {
constexpr std::size_t most_additions = 100;  // of recipients, and of headers

// An entry that was found: where, for whom, and what it says.
struct Entry {
    Check& check;
    const Restriction& restriction;
    std::string_view key;
    const Subject& subject;
    std::string_view action, text;

    Actions& actions() const { return check.actions(); }
    void log(std::string_view what, std::string_view line) const { check.log(what, line); }
    // "<a@b>: Sender address triggers HOLD action", or the text given.
    std::string triggers(std::string_view otherwise) const {
        return fmt::format("<{}>: {} {}", subject.name, subject.klass, text.empty() ? otherwise : text);
    }
    // Logs that the message goes where the text says, "<a@b>: Sender address triggers FILTER smtp:[x]"; false where
    // rules only warn.
    bool announce(std::string_view what) const {
        if (check.only_warns())
            return false;
        log(what, fmt::format("<{}>: {} triggers {} {}", subject.name, subject.klass, bytes::uppered(what), text));
        return true;
    }
    Verdict skip(std::string_view why) const {
        maillog::warning("access table {} entry \"{}\" {}", restriction.argument, key, why);
        return Verdict::dunno;
    }
};

// --- answers

struct Denial {
    std::string status, text;
};
// The entry's text may begin with an enhanced status of its own.
Denial denial(const Entry& e, int code, std::string_view otherwise) {
    mail::StatusText parts = mail::split_status(e.text);
    const bool own = parts.enhanced.klass && !parts.code;  // a number is text here: the code was said already
    std::string_view reason = own ? parts.text : e.text;
    std::string status =
        fitting_status(code, own ? parts.enhanced.text() : (code / 100 == 4 ? "4.7.1" : "5.7.1"), e.subject.klass);
    return {std::move(status),
            fmt::format("<{}>: {} rejected: {}", e.subject.name, e.subject.klass, reason.empty() ? otherwise : reason)};
}
Verdict deny(const Entry& e, int code) {
    Denial d = denial(e, code, "Access denied");
    return e.check.refuse(code, d.status, std::move(d.text));
}

Verdict permit(const Entry& e) { return e.check.permit(bytes::printable(e.action), e.subject, e.restriction.argument); }
Verdict dunno(const Entry&) { return Verdict::dunno; }
Verdict reject(const Entry& e) { return deny(e, e.check.code(param::access_map_reject_code)); }
Verdict defer(const Entry& e) { return deny(e, e.check.code(param::access_map_defer_code)); }
Verdict defer_if_permit(const Entry& e) {
    const int code = e.check.code(param::access_map_defer_code);
    Denial d = denial(e, code, "Service unavailable");
    e.check.defer_if_permit(code, d.status, std::move(d.text));
    return Verdict::dunno;
}
Verdict defer_if_reject(const Entry& e) {
    const int code = e.check.code(param::access_map_defer_code);
    Denial d = denial(e, code, "Service unavailable");
    e.check.defer_if_reject(code, d.status, std::move(d.text));
    return Verdict::dunno;
}
Verdict warn(const Entry& e) {
    e.log("warn", e.text.empty() ? e.triggers("triggers WARN action") : std::string(e.text));
    return Verdict::dunno;
}
Verdict info(const Entry& e) {
    e.log("info", e.text.empty() ? e.triggers("triggers INFO action") : std::string(e.text));
    return Verdict::dunno;
}

// --- what becomes of the message

Verdict hold(const Entry& e) {
    Actions& actions = e.actions();
    if (e.check.only_warns() || actions.hold || actions.discard)
        return Verdict::dunno;
    e.log("hold", e.triggers("triggers HOLD action"));
    actions.hold = true;
    return Verdict::dunno;
}
Verdict discard(const Entry& e) {
    Actions& actions = e.actions();
    if (e.check.only_warns() || actions.discard)
        return Verdict::dunno;
    e.log("discard", e.triggers("triggers DISCARD action"));
    actions.discard = true;
    return Verdict::permit;
}
Verdict filter(const Entry& e) {
    if (e.text.empty())
        return e.skip("has FILTER entry without value");
    if (e.text.find(':') == e.text.npos)
        return e.skip("requires transport:destination");
    if (e.announce("filter"))
        e.actions().filter = e.text;
    return Verdict::dunno;
}
Verdict redirect(const Entry& e) {
    if (e.text.find('@') == e.text.npos)
        return e.skip("requires user@domain target");
    if (e.announce("redirect"))
        e.actions().redirect = e.text;
    return Verdict::dunno;
}
Verdict bcc(const Entry& e) {
    if (e.text.find('@') == e.text.npos)
        return e.skip("requires user@domain target");
    if (e.announce("bcc") && e.actions().bcc.size() < most_additions)
        e.actions().bcc.emplace_back(e.text);
    return Verdict::dunno;
}
Verdict prepend(const Entry& e) {
    const Transaction* mail = e.check.session().mail.get();
    if (e.check.phase() == Phase::end_of_data || (mail && mail->chunks.begun)) {
        maillog::warning("access table {}: action PREPEND must be used before smtpd_end_of_data_restrictions",
                         e.restriction.argument);
        return Verdict::dunno;
    }
    if (mail::header_name_length(e.text) == 0)
        return e.skip("requires header: text");
    if (!e.check.only_warns() && e.actions().prepend.size() < most_additions)
        e.actions().prepend.emplace_back(e.text);
    return Verdict::dunno;
}

struct Action {
    std::string_view name;
    Verdict (*run)(const Entry&);
    bool of_message;  // ETRN has none
};
constexpr Action table[] = {
    // clang-format off: a row an action
    {"OK", permit, false},
    {"RELAY", permit, false},
    {"DUNNO", dunno, false},
    {"REJECT", reject, false},
    {"DEFER", defer, false},
    {"DEFER_IF_PERMIT", defer_if_permit, false},
    {"DEFER_IF_REJECT", defer_if_reject, false},
    {"WARN", warn, false},
    {"INFO", info, false},
    {"HOLD", hold, true},
    {"DISCARD", discard, true},
    {"FILTER", filter, true},
    {"REDIRECT", redirect, true},
    {"BCC", bcc, true},
    {"PREPEND", prepend, true},
    // clang-format on
};
}

Verdict act(Check& check, const Restriction& r, std::string_view key, const std::string& value, const Subject& s) {
    std::string_view text = bytes::trim(value);
    if (text.empty()) {
        maillog::warning("access table {} entry {} has empty value", r.argument, key);
        return check.refuse(451, "4.3.5", s, "Server configuration error");
    }
    std::size_t end = 0;
    while (end < text.size() && !bytes::is_space(text[end]))
        ++end;
    const std::string_view word = text.substr(0, end);
    const Entry entry{check, r, key, s, word, bytes::trim(text.substr(end))};
    if (word.find_first_not_of("0123456789") == word.npos) {  // 4xx and 5xx refuse, other numbers permit
        if (word.size() == 3 && (word[0] == '4' || word[0] == '5'))
            return deny(entry, (word[0] - '0') * 100 + (word[1] - '0') * 10 + (word[2] - '0'));
        return permit(entry);
    }
    for (const Action& action : table) {
        if (!bytes::iequals(word, action.name))
            continue;
        if (action.of_message && check.phase() == Phase::etrn) {
            maillog::warning("access table {}: with {}, action {} is always skipped in smtpd_etrn restrictions",
                             r.argument, key, action.name);
            return Verdict::dunno;
        }
        return action.run(entry);
    }
    return check.run_from_table(r, key, text);
}
}
