// The service: counts the sessions that datagrams tell of (lib/ipc/tlsrpt.h), and after the end of each UTC day sends
// each domain that asks for it one report, to all destinations of its record, looked up again then.
//
// A datagram that is no session is a request of the administrator (`postkick private tlsrpt "report example.org"`):
//
//     report             all reports that wait are tried now
//     report DOMAIN      those of DOMAIN; what was counted today is reported up to now, sessions that follow go into
//     another report
//
// The report's id is stored before the first try, each outcome behind it: after a crash between the two a destination
// may get the report twice, and tells so by the id. Failed tries are repeated for 24 hours with growing pauses
// (section 5.5). What is older than 48 hours goes.
//
// When things fail: one line for each try, "report for DOMAIN: date=…, to=…, sessions=…, failed=…,
// result=sent|deferred|failed|skipped (…)". Rubbish on the socket is counted, with a warning a minute. Without a
// database the service works from memory.
#pragma once
#include <memory>
#include <optional>
#include <set>
#include <string>
#include "collection.h"
#include "conf/settings.h"
#include "ipc/client.h"
#include "loop/loop.h"
#include "mailauth/dkim_sign.h"
#include "http/https.h"
#include "record.h"
#include "report.h"
#include "store.h"

namespace tlsrpt {
class Reporter {
public:
    static constexpr std::size_t workers = 4;  // reports under way at once
    // As root, before the jail.
    static Result<std::unique_ptr<Reporter>> create(const conf::Settings& settings);
    void take(std::string_view datagram);
    // For the life of the process, in a fiber.
    void run();

private:
    explicit Reporter(const conf::Settings& settings);
    void rubbish(const std::string& why);
    void request(std::string_view domain);  // empty: all
    void schedule_closed();
    void open_store();
    void flush(bool may_wait);
    void expire(std::int64_t now);
    void start_deliveries(loop::Group& senders, std::int64_t now);
    loop::Deadline next_event(std::int64_t now) const;

    // --- one report
    struct Attempt {
        bool done;
        std::string how;
    };
    void deliver(const std::string& key);
    bool find_destinations(const std::string& key);
    Attempt try_one(const Entry& entry, const Uri& uri, const std::string& gzipped);
    Attempt by_mail(const Entry& entry, const Uri& uri, const std::string& gzipped);
    void conclude(const std::string& key, const std::string& last_failure);

    conf::Settings settings_;
    Collection collection_;
    Submitter submitter_;
    http::Web web_;
    std::optional<mailauth::DkimKey> key_;
    ipc::Client cleanup_;
    std::optional<Store> store_;
    bool sending_ = false;  // organization and contact are set
    bool urgent_ = false;   // what has changed is to be written at once
    loop::Deadline flush_at_ = loop::never;
    loop::Condition changed_;
    std::set<std::string> busy_;  // keys whose report is under way
    std::size_t rubbish_ = 0;
    loop::Deadline rubbish_told_{}, write_told_{};
};
}
