// One evaluation of access rules: a Check walks a compiled list for one phase of one command, and leaves the reply
// where the rules refuse. The rules are functions (rules.h); this is how they answer, and what they look at (facts.h).
//
// When things fail: a table or a name server that cannot tell makes the answer temporary, 451 4.3.5 for the
// administrator's tables, 451 4.3.0 for address validation; a step that is misspelt or not built answers 451 4.3.5.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include "access/facts.h"
#include "access/list.h"

namespace smtpd {
class Check : public Facts {
public:
    Check(Session& session, Phase phase, Deferrals& deferrals, const About& about)
        : Facts(session, phase, about), deferrals_(deferrals) {}
    // Runs a list; a class within a class counts towards the depth.
    Verdict run(const RestrictionList& list);
    // Runs a list that an access table holds: of those may not be many within each other.
    Verdict run_from_table(const Restriction& r, std::string_view key, std::string_view text);
    // After the last list: a defer_if_permit that nothing rejected becomes the answer.
    Verdict settle(Verdict verdict);
    const std::string& reply() const { return reply_; }

    // With warn_if_reject in front: nothing that changes the message is done.
    bool only_warns() const { return warn_; }
    // Was this address looked for already (reject_unlisted_sender, …)? Then the implicit check does not do it again.
    bool looked_for(Of of) const { return of == Of::sender ? sender_looked_for_ : recipient_looked_for_; }
    void look_for(Of of) { (of == Of::sender ? sender_looked_for_ : recipient_looked_for_) = true; }

    // --- answers
    // A refusal: code, enhanced status (its class follows the code), text. Logs it; warn_if_reject makes it a line in
    // the log alone.
    Verdict refuse(int code, std::string_view status, std::string text);
    Verdict refuse(int code, std::string_view status, const Subject& s, std::string_view text);
    Verdict misconfigured();
    Verdict unavailable(std::string_view name);  // what would tell of this address does not answer
    Verdict permit(const Restriction& r, const Subject& s) { return permit(r.name, s, ""); }
    // table: where it says so. Logged with smtpd_log_access_permit_actions.
    Verdict permit(std::string_view action, const Subject& s, std::string_view table);
    // A temporary failure within a rule: tempfail is defer_if_permit or defer (…_tempfail_action).
    Verdict put_off(const std::string& tempfail, std::string_view status, std::string text);
    void defer_if_permit(int code, std::string_view status, std::string text);
    void defer_if_reject(int code, std::string_view status, std::string text);

private:
    Deferrals& deferrals_;
    std::string reply_{};
    bool warn_ = false, sender_looked_for_ = false, recipient_looked_for_ = false;
    int lists_ = 0, table_lists_ = 0;  // within each other
};

// Is the address one that we know? For reject_unlisted_… and the implicit checks. (address.cc)
Verdict unlisted(Check& check, Of of, std::string_view address);

// What an access table's right-hand side (access(5)) comes to, for the key that was found. (actions.cc)
Verdict act(Check& check, const Restriction& r, std::string_view key, const std::string& value, const Subject& s);
// The answer where a table of the administrator's does not work. (table.cc)
Verdict broken_table(Check& check, const Restriction& r, const Error& why, const Subject& s);

// "5.1.1" or "4.7.1 text": the status with its class made to fit the code, and changed where a recipient's status meets
// a sender or a host.
std::string fitting_status(int code, std::string_view status, std::string_view reply_class);
}
