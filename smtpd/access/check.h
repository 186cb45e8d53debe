// One evaluation of access rules: a Check walks a compiled list for one phase of one command, and leaves the reply
// where the rules refuse. The rules are functions (rules.h); this is what they look at and how they answer.
//
// When things fail: a table or a name server that cannot tell makes the answer temporary, 451 4.3.5 for the
// administrator's tables, 451 4.3.0 for address validation; a step that is misspelt or not built answers 451 4.3.5.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include "access/list.h"
#include "session.h"

namespace smtpd {
// Whom the command names that waits for the answer, beside the session's own: RCPT's or VRFY's recipient, ETRN's
// domain.
struct About {
    const Recipient* recipient = nullptr;
    std::string_view etrn_domain{};
};

class Check {
public:
    Check(Session& session, Phase phase, Deferrals& deferrals, const About& about)
        : session_(session), phase_(phase), deferrals_(deferrals), about_(about) {}
    // Runs a list; a class within a class counts towards the depth.
    Verdict run(const RestrictionList& list);
    // Runs a list that an access table holds: of those may not be many within each other.
    Verdict run_from_table(const Restriction& r, std::string_view key, std::string_view text);
    // After the last list: a defer_if_permit that nothing rejected becomes the answer.
    Verdict settle(Verdict verdict);
    // Another phase's list, with what this one left behind.
    void enter(Phase phase) { phase_ = phase; }
    const std::string& reply() const { return reply_; }

    // --- what rules look at
    Session& session() { return session_; }
    Service& service() { return session_.service; }
    const conf::Settings& settings() const { return session_.settings; }
    Client& client() { return session_.client; }
    Phase phase() const { return phase_; }
    // What a rule speaks of: "<a@b>: Recipient address rejected".
    struct Subject {
        std::string name, klass;
    };
    Subject subject() const;  // the phase's own
    Subject subject(Of of) const;
    bool known(Of of) const;
    const std::string& sender() const;
    const std::string& recipient() const;
    const std::string& address(Of of) const { return of == Of::sender ? sender() : recipient(); }
    std::string_view host(Of of) const;  // a name: the client's, HELO's, an address's domain
    int code(const conf::Int& parameter) const { return static_cast<int>(settings()[parameter]); }
    Result<ipc::ResolveReply> resolve(std::string_view address) { return session_.service.resolve(sender(), address); }
    // With warn_if_reject in front: nothing that changes the message is done.
    bool only_warns() const { return warn_; }
    // Was this address looked for already (reject_unlisted_sender, …)? Then the implicit check does not do it again.
    bool looked_for(Of of) const { return of == Of::sender ? sender_looked_for_ : recipient_looked_for_; }
    void look_for(Of of) { (of == Of::sender ? sender_looked_for_ : recipient_looked_for_) = true; }

    // Where what rules ask for the message is kept.
    Actions& actions();

    // --- answers
    void log(std::string_view what, std::string_view text) { session_.log_event(what, text, about_.recipient); }
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
    Session& session_;
    Phase phase_;
    Deferrals& deferrals_;
    const About about_;
    std::string reply_{};
    bool warn_ = false, sender_looked_for_ = false, recipient_looked_for_ = false;
    int lists_ = 0, table_lists_ = 0;  // within each other
};

// Is the address one that we know? For reject_unlisted_… and the implicit checks. (address.cc)
Verdict unlisted(Check& check, Of of, std::string_view address);

// What an access table's right-hand side (access(5)) comes to, for the key that was found. (actions.cc)
Verdict act(Check& check, const Restriction& r, std::string_view key, const std::string& value,
            const Check::Subject& s);
// The answer where a table of the administrator's does not work. (table.cc)
Verdict broken_table(Check& check, const Restriction& r, const Error& why, const Check::Subject& s);

// "5.1.1" or "4.7.1 text": the status with its class made to fit the code, and changed where a recipient's status meets
// a sender or a host.
std::string fitting_status(int code, std::string_view status, std::string_view reply_class);
}
