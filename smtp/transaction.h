// MAIL to the end of data, with one peer: which commands go together (PIPELINING), what they carry, and what each reply
// means for which recipient. In LMTP every recipient has a reply of its own behind the data.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include "dispositions.h"

namespace smtp {
class Transaction {
public:
    Transaction(const Config& config, delivery::Job& job, Dispositions& dispositions, Peer& peer)
        : config_(config), job_(job), out_(dispositions), peer_(peer) {}
    void run();

private:
    enum class Verb : std::uint8_t { rset, xforward_client, xforward_session, mail, rcpt, data };
    struct Sent {
        Verb verb;
        delivery::JobRecipient* recipient;
    };
    static const char* command_name(Verb verb);  // "MAIL FROM command"
    static const char* doing(Verb verb);         // "sending MAIL FROM"

    bool fits();     // size, SMTPUTF8: what the peer lacks is the message's end here
    bool compose();  // sender and recipients as they are to be sent
    std::string mail_command() const;
    std::string rcpt_command(const delivery::JobRecipient& recipient, const std::string& address) const;
    void forward_client();
    // Sends one command; without pipelining, or with much outstanding, reads the replies. false: the dialogue is over.
    bool say(Verb verb, delivery::JobRecipient* recipient, const std::string& line);
    bool read_replies();
    void judge(const Sent& sent, const Reply& reply);
    void refused(const Reply& reply, const char* command, delivery::JobRecipient* only);
    void lost(const Error& why);
    void broke_off(const Error& why);  // while the message was being sent
    void send_message();
    void end_probe();
    std::string prepended() const;

    const Config& config_;
    delivery::Job& job_;
    Dispositions& out_;
    Peer& peer_;
    std::vector<delivery::JobRecipient*> recipients_;
    std::vector<std::string> addresses_;
    std::string sender_;
    std::vector<Sent> outstanding_;
    std::size_t outstanding_bytes_ = 0;
    std::vector<delivery::JobRecipient*> accepted_;
    std::vector<std::pair<delivery::JobRecipient*, Reply>> probed_;
    bool downgrade_ = false, utf8_ = false;
    std::optional<std::pair<Reply, const char*>>
        farewell_;       // 421, and to which command: why the connection is lost after it
    bool over_ = false;  // nothing more to be said in this transaction
    bool data_accepted_ = false, data_said_ = false;
};
}
