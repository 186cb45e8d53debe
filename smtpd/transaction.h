// One mail transaction: what MAIL said, how many recipients there are so far, what access rules asked for, and where
// the message goes. A session that waits for MAIL has none.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>
#include "content.h"
#include "downstream.h"

namespace smtpd {
// What MAIL said.
struct Envelope {
    std::string sender;    // internal form, "" is the null sender
    std::string encoding;  // BODY=: "7bit", "8bit" or empty
    std::string id;        // ENVID, decoded
    std::string verp;      // XVERP delimiters
    unsigned dsn_return = 0;
    bool smtputf8 = false;
    bool require_tls = false;         // REQUIRETLS (RFC 8689)
    std::int64_t announced_size = 0;  // SIZE=
};

struct EnvelopeRecipient {
    std::string address;       // internal form
    std::string shown;         // as log lines and replies show it
    std::string dsn_original;  // "rfc822;a@b" or empty
    unsigned dsn_notify = 0;
};

// What actions of access tables leave behind for the message.
struct Actions {
    bool hold = false, discard = false;
    std::string filter{}, redirect{};
    std::vector<std::string> bcc{}, prepend{};
    bool any() const {
        return hold || discard || !filter.empty() || !redirect.empty() || !bcc.empty() || !prepend.empty();
    }
};

// A temporary answer that a later permit (or reject) turns into: defer_if_permit, defer_if_reject.
struct Deferral {
    bool active = false;
    std::string text;  // "4.7.1 <a@b>: Recipient address rejected: …"
    int code = 450;
};
struct Deferrals {
    Deferral if_permit, if_reject;
};

struct Transaction {
    Envelope envelope{};
    std::int64_t accepted = 0, refused_over_limit = 0;
    std::string last_recipient{};  // the only one's address where accepted is 1
    Actions actions{};
    Deferrals deferrals{};                     // after the recipients' rules
    std::unique_ptr<Downstream> downstream{};  // from the first accepted recipient on
    Content content{};
    Chunks chunks{};
};
}
