// One SMTP session, in a fiber: its rooms, and the loop from greeting to QUIT that takes a command, raises the
// objections that concern every command, runs it and counts.
//
//     client      who the client is, or pretends to be         dialogue    lines, replies and the limits on both
//     gate        what it may do at once, by anvil(8)          transcript  what was said, for notices
//     access      what access rules have left behind           mail        the transaction, while there is one
//
// The commands (commands.h) are functions over these. Small while idle: what a transaction needs exists only during
// one, and stream buffers are given back before each wait.
//
// When things fail: a lost connection, a timeout or an answer of 421 or 521 ends the dialogue; what was not
// acknowledged is withdrawn from cleanup. Loss of cleanup or trivial-rewrite is a 451 to the client.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include "access/state.h"
#include "client.h"
#include "dialogue.h"
#include "gate.h"
#include "service.h"
#include "transaction.h"
#include "transcript.h"

namespace smtpd {
struct Verb;

class Session {
public:
    // stressed: the settings under stress hold for the whole session.
    Session(Service& service, net::Stream& stream, bool stressed);
    ~Session();
    void serve(const net::Address& peer);  // the whole session, name look-up and log lines included

    Service& service;
    const conf::Settings& settings;
    net::Stream& stream;
    Client client{};
    Transcript transcript;
    Dialogue dialogue;
    Gate gate;
    AccessState access{};
    std::unique_ptr<Forwarded> forwarded{};
    std::unique_ptr<Transaction> mail{};
    std::string_view state = "CONNECT";  // the command, as log lines name it: "RCPT"
    bool pipelined_early = false;        // the client did not wait where it had to
    bool in_content = false;             // what comes is no command

    std::string_view protocol_name() const;  // "SMTP", "ESMTP", "ESMTPS", "UTF8SMTP" …
    std::string_view queue_id() const;       // or "NOQUEUE"
    std::string early_end() const;  // "ID: " before the line of an early end, where maillog_early_end_ids wants it
    // "NOQUEUE: reject: RCPT from host[addr]: text; from=<> to=<> proto=ESMTP helo=<>". recipient: the one in question.
    void log_event(std::string_view what, std::string_view text, const EnvelopeRecipient* recipient = nullptr);
    std::string bare_newline_refusal() const;  // the reply; logs it
    void drop_transaction();
    // The connection did not carry on; says so and ends the session.
    void lost(net::Stream::Failure how);
    void lost() { lost(stream.failure()); }

private:
    void converse(const net::Address& peer);
    bool greet(const net::Address& peer);  // false: the session ends
    void talk();
    void step();
    void run(std::string_view line, Words& words);
    bool replace(std::string& line);  // smtpd_command_filter; false: a reply was sent instead
    bool not_smtp(std::string_view line, std::string_view name);
    bool synchronized(const Verb& verb);
    bool tolerate_early_talk();
    void end_for_errors();
    void starved();
    void finish(bool farewell);
    void log_disconnect();

    struct Count {
        int total = 0, good = 0;
    };
    std::array<Count, 16> counts_{};  // of each verb, in the table's order
    bool greeted_ = false;
};
}
