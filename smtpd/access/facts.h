// What access rules look at: the session, and whom the command names that waits for the answer.
#pragma once
#include <string>
#include <string_view>
#include "access/rules.h"
#include "session.h"

namespace smtpd {
// Whom the command names that waits for the answer, beside the session's own: RCPT's or VRFY's recipient, ETRN's
// domain.
struct About {
    const EnvelopeRecipient* recipient = nullptr;
    std::string_view etrn_domain{};
};

// What a rule speaks of: "<a@b>: Recipient address rejected".
struct Subject {
    std::string name, klass;
};

class Facts {
public:
    Facts(Session& session, Phase phase, const About& about) : session_(session), phase_(phase), about_(about) {}
    Session& session() { return session_; }
    Service& service() { return session_.service; }
    const conf::Settings& settings() const { return session_.settings; }
    int code(const conf::Int& parameter) const { return static_cast<int>(settings()[parameter]); }
    Client& client() { return session_.client; }
    Phase phase() const { return phase_; }
    // Another phase's list comes.
    void enter(Phase phase) { phase_ = phase; }

    bool known(Of of) const;
    Subject subject(Of of) const;
    Subject subject() const;  // the phase's own
    const std::string& sender() const;
    const std::string& recipient() const;
    const std::string& address(Of of) const { return of == Of::sender ? sender() : recipient(); }
    std::string_view host(Of of) const;  // a name: the client's, HELO's, an address's domain
    Result<ipc::ResolveReply> resolve(std::string_view address) { return session_.service.resolve(sender(), address); }
    Actions& actions();  // where what rules ask for the message is kept
    void log(std::string_view what, std::string_view text) { session_.log_event(what, text, about_.recipient); }

private:
    Session& session_;
    Phase phase_;
    const About about_;
};
}
