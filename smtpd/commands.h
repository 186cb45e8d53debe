// The commands of SMTP: what each does with a session. false is an error of the client's, or ours; the reply was sent.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include "dialogue.h"

namespace smtpd {
class Session;

// hello.cc
bool helo(Session& session, Words& words);
bool ehlo(Session& session, Words& words);
unsigned not_offered(Session& session);  // EHLO keywords that this client does not get, and may not use
// starttls.cc
bool starttls(Session& session, Words& words);
bool handshake(Session& session, bool wrapper);  // false: the session ends
// xclient.cc
bool xclient(Session& session, Words& words);
bool xforward(Session& session, Words& words);
bool may_pretend(const Session& session);  // XCLIENT
// mail.cc, recipient.cc
bool mail_from(Session& session, Words& words);
bool may_ask_verp(const Session& session);  // smtpd_authorized_verp_clients
bool rcpt_to(Session& session, Words& words);
bool open_downstream(Session& session);  // false: a reply was sent
// The path's text behind "FROM:" or "TO:", in the same word or the next; words is left with the options. Absent where
// the command is malformed.
std::optional<std::string_view> take_path(Words& words, std::string_view label);
// The address in internal form; absent where it is none, or its domain can be no host's. With utf8 the domain may have
// other letters. What rewriting would change is for trivial-rewrite to judge; where it cannot tell, later look-ups will
// say so.
std::optional<std::string> read_address(Session& session, std::string_view word, std::string_view command, bool strict,
                                        bool utf8);
// data.cc, bdat.cc
bool data(Session& session, Words& words);
bool bdat(Session& session, Words& words);
// What comes before the client's first byte (Received: and the like); the reply where it is not taken.
std::optional<std::string> start_content(Session& session);
// After the last byte of content: access rules, downstream's verdict, the reply. size: what BDAT's reply says of it.
bool end_of_content(Session& session, std::string_view size);
// other.cc
bool auth(Session& session, Words& words);
bool may_authenticate(const Session& session);  // AUTH is neither offered nor taken otherwise
bool rset(Session& session, Words& words);
bool noop(Session& session, Words& words);
bool vrfy(Session& session, Words& words);
bool etrn(Session& session, Words& words);
bool quit(Session& session, Words& words);

struct Verb {
    std::string_view name;                        // upper case
    bool (*run)(Session& session, Words& words);  // null: no command of ours
    bool counts_as_junk;                          // in excess, an error each: RSET, NOOP, VRFY, ETRN …
    bool before_tls;                              // where TLS is required
    bool ends_pipeline;                           // RFC 2920: nothing may follow it in a group
};
// In the order of the disconnect line. The last row stands for everything else.
inline constexpr Verb verbs[] = {
    // clang-format off: a row a verb
    {"HELO", helo, true, true, true},           {"EHLO", ehlo, true, true, true},
    {"XCLIENT", xclient, false, false, true},   {"XFORWARD", xforward, false, false, false},
    {"STARTTLS", starttls, false, true, false}, {"AUTH", auth, false, false, false},
    {"MAIL", mail_from, false, false, false},   {"RCPT", rcpt_to, false, false, false},
    {"DATA", data, false, false, true},         {"BDAT", bdat, false, false, false},
    {"RSET", rset, true, false, false},         {"NOOP", noop, true, true, true},
    {"VRFY", vrfy, true, false, true},          {"ETRN", etrn, true, false, false},
    {"QUIT", quit, false, true, false},         {"UNKNOWN", nullptr, false, false, false},
    // clang-format on
};
}
