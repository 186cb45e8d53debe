// The text of a delivery status notification: a multipart/report of three parts (RFC 3462, RFC 3464; RFC 6533 where
// addresses are not ASCII): what happened in words, the same for programs, and the message or its header.
//
// Pure: what it needs is given to it, what it makes are lines handed to a function.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "delivery/post.h"
#include "queue/failure_log.h"
#include "templates.h"

namespace bounce {
using Entry = queue::FailureEntry;

// What is known of the message that the report is about.
struct Subject {
    std::string queue_id;
    std::string sender;  // internal form; "" for the null sender
    std::string envid;
    std::string encoding;       // "7bit", "8bit", ""
    std::int64_t arrival = 0;   // 0: not known
    bool utf8 = false;          // needs SMTPUTF8
    bool require_tls = false;   // REQUIRETLS holds for the report, too
    bool tls_optional = false;  // "TLS-Required: no" does
};

struct Parts {
    Kind kind = Kind::failure;
    bool to_postmaster = false;  // no words, the other subject, Auto-Submitted: auto-generated
    bool whole_message = false;  // else its header
};

// What the report takes from settings.
struct Style {
    std::string myhostname, mail_name;
    std::string from;  // From: header's value
    std::string charset;
    bool eight_bit = false;           // smtputf8_enable: words are UTF-8
    std::int64_t queue_lifetime = 0;  // for Will-Retry-Until
};

// The original message: gives its lines to visit until that returns an Error or the message (or, with header_only, its
// header) ends.
using Lines = delivery::Lines;
using Original = std::function<Result<void>(bool header_only, const Lines& visit)>;

// In-Reply-To and References for the report, from the message's own (enable_threaded_bounces).
struct Thread {
    std::string message_id, references;
};

struct Report {
    const Subject& subject;
    const std::vector<Entry>& entries;
    Parts parts;
    const Style& style;
    const Template& words;
    std::string words_text;  // expanded
    std::string to;          // internal form
    std::optional<Thread> thread = {};
    Original original = {};  // empty: it cannot be read
    std::int64_t now = 0;

    // Header from "From:" on (Received and Date are the poster's), and body.
    Result<void> write(const Lines& out) const;
};

// Lines of at most width bytes where white space lets it; all but the first start with indent spaces.
std::vector<std::string> wrapped(std::string_view text, std::size_t width = 79, std::size_t indent = 4);
}
