// One SMTP session: the dialogue from greeting to QUIT, in a fiber. talk() reads a command, finds it in the table of
// verbs, raises the objections that concern every command, runs it and counts. The commands are in hello.cc, mail.cc,
// recipient.cc, data.cc, bdat.cc, other.cc and starttls.cc; access rules in access/.
//
// Small while idle: what a transaction needs exists only during one, and stream buffers are given back before each
// wait.
//
// When things fail: a lost connection, a timeout or an answer of 421 or 521 ends the dialogue; what was not
// acknowledged is withdrawn from cleanup. Loss of cleanup or trivial-rewrite is a 451 to the client.
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "client.h"
#include "service.h"
#include "transaction.h"

namespace tls {
struct Info;
}

namespace smtpd {
class Check;

using Words = std::vector<std::string_view>;

class Session {
public:
    // stressed: the settings under stress hold for the whole session.
    Session(Service& service, net::Stream& stream, const net::Address& peer, bool stressed);
    ~Session();
    void serve();  // the whole session, name look-up and log lines included

    // --- what access rules, Received: and log lines look at
    Service& service() { return service_; }
    const conf::Settings& settings() const { return settings_; }
    const Client& client() const { return client_; }
    const std::string& helo() const { return helo_; }
    bool esmtp() const { return esmtp_; }
    bool encrypted() const { return tls_ != nullptr; }
    const tls::Info* tls() const { return tls_.get(); }
    Transaction* mail() { return mail_.get(); }
    const Recipient* recipient() const { return recipient_; }
    std::string_view protocol_name() const;  // "SMTP", "ESMTP", "ESMTPS", "UTF8SMTP" …
    std::string_view queue_id() const;       // or "NOQUEUE"
    std::string early_end() const;  // "ID: " before the line of an early end, where maillog_early_end_ids wants it
    std::string_view state() const { return where_; }  // the command, as log lines name it: "RCPT"
    bool pipelined_early() const { return early_; }
    Actions& actions(Phase phase);
    Deferrals& early_deferrals() { return deferrals_; }
    const std::string& etrn_domain() const { return etrn_domain_; }
    // "NOQUEUE: reject: RCPT from host[addr]: text; from=<> to=<> proto=ESMTP helo=<>"
    void log_event(std::string_view what, std::string_view text);
    struct DnsCache {
        std::string name;
        bool txt;
        dns::Answer answer;
    };
    std::vector<DnsCache>& dns_cache() { return dns_cache_; }
    // Of this session's client; answers no while the list cannot tell, and says so in the log.
    bool in_mynetworks();
    std::string shown_sender() const;

private:
    struct Verb;
    static const Verb verbs_[];
    struct Count {
        int total = 0, good = 0;
    };

    // --- dialogue (session.cc)
    bool greet();
    void dialogue();
    bool step();  // one command; false ends the dialogue
    const Verb* find_verb(std::string_view name) const;
    bool refuse_unknown(std::string_view line, std::string_view name);
    bool synchronized(const Verb& verb);
    bool say(std::string_view reply);  // queues it; true where it is no error. 421 and 521 end the dialogue
    bool say_lines(const std::vector<std::string>& lines, std::string_view code);
    bool refuse(std::string_view reply) {
        (void)say(reply);
        return false;
    }
    void lost(net::Stream::Failure how);
    void starved();
    void log_connect();
    void log_disconnect();
    loop::Deadline command_deadline() const;
    bool await_client();
    void end_for_errors();
    bool verp_allowed() const;  // smtpd_authorized_verp_clients lists this client

    // --- commands: false is an error
    bool helo_command(Words& words, bool extended);
    bool helo(Words& words) { return helo_command(words, false); }
    bool ehlo(Words& words) { return helo_command(words, true); }
    bool starttls(Words& words);
    bool auth(Words& words);
    bool mail_from(Words& words);
    bool rcpt_to(Words& words);
    bool data(Words& words);
    bool bdat(Words& words);
    bool rset(Words& words);
    bool noop(Words& words);
    bool vrfy(Words& words);
    bool etrn(Words& words);
    bool quit(Words& words);
    bool xclient(Words& words);
    bool xforward(Words& words);

    // --- helpers of the commands
    unsigned keywords();  // those that EHLO does not offer
    bool may_authenticate() const {
        return encrypted() || !service_.auth_needs_tls;
    }  // AUTH is neither offered nor taken otherwise
    std::string hello_reply(bool extended);
    void show_client();  // makes client_.shown
    // --- XCLIENT and XFORWARD (xclient.cc)
    bool may_pretend();
    bool may_forward();
    struct Attribute {
        std::string name, value;
        bool unavailable;
    };
    std::optional<Attribute> attribute(std::string_view word);  // absent: a reply was sent
    bool bad_attribute(const Attribute& a);
    bool client_attribute(const Attribute& a, Client& client, std::string& helo, bool& esmtp);
    bool forwarded_attribute(const Attribute& a, Forwarded& forwarded);
    bool handshake(bool wrapper);
    std::optional<std::string> read_address(std::string_view word, std::string_view command, bool strict, bool utf8);
    bool open_cleanup();  // false: a reply was sent
    bool send_recipient(const Recipient& r);
    void send_attributes();
    bool start_content();  // Received: and prepended headers
    void send_actions(const std::string& content_filter);
    std::string received_header() const;
    // After the last byte of content: access rules, END, cleanup's verdict, the reply. suffix goes between "Ok: " and
    // "queued as".
    bool end_of_content(std::string_view size_text);
    std::string bare_newline_refusal() const;  // logs it
    enum class Take { done, lost };
    Take take_content();  // DATA up to the final dot
    bool line_to_cleanup(std::string_view text, bool ends);
    bool bdat_chunk(std::int64_t size, bool last);
    Take take_chunk(std::int64_t size, bool drop);
    void drop_transaction();
    bool room_for_mail();

    // --- notices to the postmaster (notice.cc)
    void note(std::string_view who, std::string_view line);
    void classify(std::string_view reply);
    void send_notice();

    // --- anvil (anvil.cc): true where the client may go on
    bool anvil_connect();
    bool anvil_count(std::string_view event, std::int64_t limit, std::string_view complaint);
    int anvil_rate(std::string_view event, std::int64_t limit);   // 0: not limited, or anvil cannot tell
    bool anvil_over(std::string_view event, std::int64_t limit);  // without a line in the log
    void anvil_disconnect(bool may_wait);
    std::string anvil_ident() const;

    // --- access (access/phases.cc): the reply where the rules refuse
    std::optional<std::string> check_client();
    std::optional<std::string> check_helo(std::string name);
    std::optional<std::string> check_sender();
    std::optional<std::string> check_recipient(const Recipient& recipient);
    std::optional<std::string> check_content(Phase phase);
    std::optional<std::string> check_etrn(const std::string& domain);

    Service& service_;
    net::Stream& stream_;
    const conf::Settings& settings_;  // with stress=yes in a session that began under stress
    Client client_{};
    net::Address peer_;
    std::string helo_{};
    loop::Deadline command_until_{};                // with deadlines for whole requests: this command's
    std::string_view where_ = "CONNECT", ended_{};  // ended_: why the session was cut short
    std::unique_ptr<Transaction> mail_{};
    std::unique_ptr<Forwarded> forwarded_{};
    std::optional<bool> may_forward_{};
    const Recipient* recipient_ = nullptr;
    std::unique_ptr<tls::Info> tls_{};
    std::optional<std::uint64_t> anvil_{};  // what AnvilLink::disconnected wants
    std::string access_denied_{};           // smtpd_delay_reject=no, and the client's rules refused
    std::string etrn_domain_{};
    Actions actions_{};  // of client and helo rules, without smtpd_delay_reject: for every message
    Deferrals deferrals_{};
    std::vector<DnsCache> dns_cache_{};
    std::array<Count, 18> counts_{};
    std::int64_t errors_ = 0, junk_ = 0, content_bytes_ = 0, commands_ = 0;
    unsigned discarded_ = 0, errors_seen_ = 0;
    std::string history_{};  // what was said, for notices
    std::int64_t history_lines_ = 0;
    std::optional<bool> mynetworks_{};
    bool bare_newline_checked_ = false;
    BareNewline bare_newline_ = BareNewline::no;
    bool esmtp_ = false, early_ = false, hang_up_ = false, write_failed_ = false, greeted_ = false, exempt_ = false,
         in_content_ = false, over_limits_ = false, policy_refusal_ = false;
};
}
