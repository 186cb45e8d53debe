// What all sessions of this process share: the settings, what is made of them once (restriction lists in compiled form,
// open tables, lists of words), and connections to cleanup, trivial-rewrite, anvil and flush. Made at start, as root.
// A setting that needs no such work is read where it is used: settings[param::…].
//
// When things fail: open() returns an Error and the daemon does not start. A table that cannot be opened is not fatal:
// its lookups fail and clients are put off (table/maps.h).
#pragma once
#include <bitset>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "access/list.h"
#include "anvil_link.h"
#include "base/error.h"
#include "client.h"
#include "conf/settings.h"
#include "dns/dns.h"
#include "dns/host.h"
#include "ipc/client.h"
#include "ipc/trivial_rewrite.h"
#include "table/local_domains.h"
#include "table/maps.h"
#include "rewrite_clients.h"
#include "table/match_list.h"

namespace tls {
class ServerContext;
}

namespace smtpd {
class ToQueue;
enum class TlsLevel { none, may, encrypt };

// Where the process asks for names; tests put their own in.
struct Resolver {
    std::function<dns::Answer(std::string_view, dns::Type)> query;
    std::function<dns::ClientName(const std::string&, bool confirm)> client_name;
};

class Service {
public:
    static Result<std::unique_ptr<Service>> open(const conf::Settings& settings, Resolver resolver = {});
    ~Service();

    // stressed: with stress=yes, on which limits depend.
    const conf::Settings& settings(bool stressed = false) const { return stressed ? stressed_ : settings_; }

    // Standard form, then where it goes (trivial-rewrite).
    Result<ipc::ResolveReply> resolve(std::string_view sender, std::string_view address);
    // user@host.domain that no rewriting could change, and a good host name: true without asking anybody.
    bool plainly_valid(std::string_view address) const;
    // The EHLO keywords that smtpd_discard_ehlo_keywords, or its address maps, keep from a client (keywords.h).
    unsigned discarded_keywords(const std::string& client_address) const;

    // --- what settings mean
    std::string service_ident = "smtp";  // as anvil knows this service
    BareNewline bare_newline = BareNewline::normalize;
    TlsLevel tls_level = TlsLevel::none;
    std::string no_memory;    // the greeting of a client for whom there is none; empty where TLS comes first
    std::string tls_problem;  // why it cannot be had
    bool tls_usable = false, auth_needs_tls = false;
    bool no_unknown_recipient_checks = false, external_log_form = true;
    int cleanup_flags = 0;
    unsigned notify = 0;                     // notify_classes, bits of Notify
    std::vector<std::string> noop_commands;  // upper case
    table::MatchList permit_actions;         // smtpd_log_access_permit_actions
    enum Notify : unsigned { notify_policy = 1, notify_protocol = 2, notify_resource = 4, notify_software = 8 };

    // --- tables and lists
    table::Maps local_recipients, virtual_aliases, virtual_mailboxes, relay_recipients, canonical, sender_canonical,
        recipient_canonical;
    table::Maps rbl_replies, footer_maps, reject_filter, command_filter, ehlo_keyword_maps, relay_certificates;
    table::MatchList mynetworks, limit_exceptions, bare_newline_exclusions, forbidden_commands, xclient_hosts,
        xforward_hosts, backup_networks, verp_clients;
    table::LocalDomains local_domains;
    HeaderRewriteClients rewrite_clients;
    table::Parents access_parents = table::Parents::bare;

    // --- access rules
    Lists lists;
    struct Rules {  // smtpd_client_restrictions …
        RestrictionList client, helo, sender, relay, recipient, data, end_of_data, etrn;
    } rules;

    // What clients sent, for replies that administrators composed: characters outside smtpd_expansion_filter become
    // "_".
    std::string censored(std::string text) const;

    // --- others
    Resolver resolver;
    ipc::Client cleanup, flush;
    ipc::TrivialRewrite rewrite;
    AnvilLink anvil;
    std::function<Result<std::unique_ptr<ToQueue>>()> submit;  // stand-alone: instead of cleanup
    bool stand_alone() const { return bool(submit); }          // sendmail -bs: no network, nobody to wait for
    std::shared_ptr<tls::ServerContext> tls;

private:
    explicit Service(const conf::Settings& settings);
    Result<void> read();
    Result<void> open_lists();
    void open_tables();
    void open_tls();
    conf::Settings settings_, stressed_;
    unsigned discarded_ = 0;
    std::bitset<256> expansion_characters_;
};
}
