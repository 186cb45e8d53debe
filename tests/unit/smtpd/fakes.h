// Made-up cleanup, trivial-rewrite and name servers, and a harness that plays the dialogues of
// tests/dialogs/smtpd/*.dlg:
//
//     set smtpd_helo_required = yes          a parameter (defaults as in harness.cc)
//     client 192.0.2.1 mx.client.test        who connects; the name is optional ("unknown" without)
//     dns 1.2.0.192.rbl.test A 127.0.0.2     an answer; "temporary" as value: none comes
//     C: EHLO client.test                    sent with CRLF; consecutive C lines go in one write
//     c: a\nb\r\n                            sent as it stands, with \r \n \0 \xHH for bytes
//     S: 250 2.1.0 Ok                        the next reply line; "…" at its end: only the beginning counts
//     S: <EOF>                               the server hangs up
//     R: N Subject: x                        the last message cleanup got has this record
//     L: NOQUEUE: reject: …                  some log line begins like that, since the last L
//     hangup                                 the client goes
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "loop/loop.h"
#include "service.h"

namespace fakes {
struct Message {
    std::vector<std::string> records;
    bool complete = false;
    int flags = 0;
};

// Runs the services as fibers in a directory of its own, which becomes the working directory.
class World {
public:
    World();
    ~World();
    std::vector<Message> messages;
    std::vector<std::string> log;
    std::map<std::string, std::string> dns;  // "name A" → value, values separated by '|'
    smtpd::Resolver resolver(const std::string& client_name);
    void serve(loop::Group& group);
    static conf::Overrides settings();

private:
    std::string directory_, before_;
};

// One session in a loop of its own: each piece is sent when the server has nothing left to do with those before it,
// then the client's side closes. What the server said; world.messages has what was taken.
std::string converse(World& world, smtpd::Service& service, const std::vector<std::string_view>& pieces,
                     const std::string& address = "192.0.2.1");

// Plays one file; what went wrong, or "".
std::string play(const std::string& file);
}
