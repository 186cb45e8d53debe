// What is known of one domain in one span of time, from the first session to the last report: counts and failures by
// policy (RFC 8460, section 4.4), then where the report goes and what became of it. An entry is one record of the
// database, a JSON object of one line.
//
// When things fail: parse() gives nothing for text that is no entry; nothing of it is used then.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "ipc/tlsrpt.h"

namespace tlsrpt {
inline constexpr std::int64_t day = 86400;
inline constexpr std::size_t policies_limit =
    16;  // of an entry: a domain's policy changes now and then, not with each session
inline constexpr std::size_t text_limit = 500;  // bytes of one text in a failure or a policy
inline constexpr std::size_t list_limit = 100;  // policy strings, host patterns

struct Detail {
    ipc::tlsrpt::FailureDetail what;
    std::uint64_t sessions = 0;
};

struct PolicyCounts {
    ipc::tlsrpt::PolicyType type = ipc::tlsrpt::PolicyType::no_policy_found;
    std::string domain;
    std::vector<std::string> strings, mx_hosts;
    std::uint64_t sessions = 0, failed = 0;
    std::vector<Detail> details;
};

enum class Outcome { waiting, sent, failed, skipped };

struct Destination {
    std::string uri;
    Outcome outcome = Outcome::waiting;
};

struct Entry {
    std::string domain, record;       // the TLSRPT record, as the last session saw it
    std::int64_t begin = 0, end = 0;  // seconds since 1970; end 0: sessions are still counted
    std::vector<PolicyCounts> policies;

    std::string id;              // of the report: made when the entry is closed, the same at each try
    std::int64_t due = 0;        // not to be sent before
    std::int64_t first_try = 0;  // 0: none yet
    int tries = 0;
    bool done = false;  // nothing is left to send
    std::vector<Destination> destinations;

    bool closed() const { return end != 0; }
    std::uint64_t sessions() const;
    std::uint64_t failed() const;
    std::string key() const;  // "2026-11-22/00:00:00/example.org"
    std::string text() const;
    static std::optional<Entry> parse(std::string_view text);

    // Counts one session. room: whether policies and failures that are new may be noted, up to `details` failures;
    // without it only numbers grow. Returns the bytes that were added; *cut is set where something was left out.
    std::size_t add(const ipc::tlsrpt::Datagram& session, bool room, std::size_t details, bool* cut);
};

std::string utc(std::int64_t time);  // "2026-11-22T00:00:00Z"
}
