// One evaluation of access rules: a Check walks a compiled list for one phase of one command, and leaves the reply
// where the rules refuse. What each restriction does is in client.cc, helo.cc, address.cc, dns_lists.cc, table.cc,
// certificate.cc and relay.cc.
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
enum class Verdict : unsigned char { dunno, permit, reject };

class Check {
public:
    Check(Session& session, Phase phase, Deferrals& deferrals)
        : session_(session), service_(session.service()), phase_(phase), deferrals_(deferrals) {}
    // Runs a list; a class within a class counts towards the depth.
    Verdict run(const RestrictionList& list, int depth = 0);
    // After the last list: a defer_if_permit that nothing rejected becomes the answer.
    Verdict settle(Verdict verdict);
    // Is the recipient (sender) one that we know? For the implicit checks too.
    Verdict unlisted(std::string_view address, bool sender);
    const std::string& reply() const { return reply_; }

private:
    // What a rule speaks of: "<a@b>: Recipient address rejected".
    struct Subject {
        std::string name, klass;
    };
    Subject subject() const;  // the phase's own
    Subject client_subject() const;
    Subject helo_subject() const;
    Subject address_subject(bool sender) const;
    const std::string& sender() const;
    const std::string& recipient() const;

    Verdict step(const Restriction& r, int depth);
    // A refusal: code, enhanced status (its class follows the code), text. Logs it; warn_if_reject makes it a line in
    // the log alone.
    Verdict refuse(int code, std::string_view status, std::string text);
    Verdict refuse(int code, std::string_view status, const Subject& s, std::string_view text);
    Verdict misconfigured();
    Verdict permit(const Restriction& r, const Subject& s) { return permit(r.name, s, ""); }
    Verdict permit(std::string_view action, const Subject& s,
                   std::string_view table);  // table: where it says so; with smtpd_log_access_permit_actions logged
    // A temporary failure within a rule: tempfail is defer_if_permit or defer (…_tempfail_action).
    Verdict put_off(const std::string& tempfail, std::string_view status, std::string text);
    void defer_if_permit(int code, std::string_view status, std::string text);
    void defer_if_reject(int code, std::string_view status, std::string text);

    // relay.cc
    Verdict auth_destination(const Restriction& r, int refuse_code);
    Verdict mx_backup(const Restriction& r);
    bool destination_is_ours(const ipc::ResolveReply& where) const;
    Result<ipc::ResolveReply> resolve(std::string_view address);
    // client.cc
    Verdict mynetworks(const Restriction& r);
    Verdict unknown_client(bool forward_only);
    // helo.cc
    Verdict invalid_helo();
    Verdict non_fqdn_helo();
    Verdict unknown_helo();
    // address.cc
    Verdict non_fqdn_address(bool sender);
    Verdict unknown_domain(bool sender);
    Verdict known_in(const table::Maps& maps, std::string_view address, bool& known);
    // dns_lists.cc
    Verdict address_list(const Restriction& r, bool permits);
    Verdict domain_list(const Restriction& r, std::string_view domain, const Subject& s, bool permits);
    const dns::Answer& ask_list(const std::string& name, bool txt);
    Verdict listed(const DnsList& list, const std::string& name, const std::string& what, const Subject& s,
                   bool permits, const Restriction& r);
    // certificate.cc
    const tls::Info* client_certificate() const;  // null: the client showed none
    Verdict all_certificates(const Restriction& r);
    Verdict listed_certificate(const Restriction& r);
    Verdict table_certificate(const Restriction& r);
    // table.cc
    Verdict table_address(const Restriction& r, bool sender);
    Verdict table_host(const Restriction& r, std::string_view name, const Subject& s, bool with_address);
    Verdict table_servers(const Restriction& r, std::string_view domain, const Subject& s, dns::Type type);
    Verdict act(const Restriction& r, std::string_view key, const std::string& value, const Subject& s, int depth = 0);
    Verdict broken_table(const Restriction& r, const Error& why, const Subject& s);
    std::optional<std::string> table_hit(const Restriction& r, const Result<std::optional<table::AddressMatch>>& hit,
                                         const Subject& s, Verdict& verdict);

    Session& session_;
    Service& service_;
    Phase phase_;
    Deferrals& deferrals_;
    std::string reply_{};
    bool warn_ = false, recipient_checked_ = false, sender_checked_ = false;
    int depth_ = 0;
    friend class Session;
};

// "5.1.1" or "4.7.1 text": the status with its class made to fit the code, and changed where a recipient's status meets
// a sender or a host.
std::string fitting_status(int code, std::string_view status, std::string_view reply_class);
}
