// All entries that the service has, in memory: sessions are counted into those of the current UTC day, which are closed
// when it ends. The database is written behind it (changes()).
//
// Bounded: so many domains a day and so many failures a domain (parameters), some 64 MiB of policies and failures in
// all. Beyond that numbers still grow, descriptions do not; sessions of further domains are dropped; each is one
// warning a day.
//
// Pure but for those warnings; the time is given.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>
#include "base/error.h"
#include "entry.h"

namespace tlsrpt {
struct Limits {
    std::size_t domains = 10000, details = 100;
    std::size_t bytes = 64u << 20;
};

class Collection {
public:
    explicit Collection(Limits limits) : limits_(limits) {}

    // One session. An Error where it names no domain that a report can go to.
    Result<void> add(const ipc::tlsrpt::Datagram& session, std::int64_t now);
    // Closes what belongs to a day before that of now.
    void turn(std::int64_t now);
    // Closes a domain's entry of today: its report ends here, and sessions that follow go into another. False: there is
    // none.
    bool close(const std::string& domain, std::int64_t now);
    // Drops what ended `age` seconds ago, and returns those of them that were not done.
    std::vector<Entry> expire(std::int64_t now, std::int64_t age);

    void load(Entry entry, std::int64_t now);  // from the database
    const std::map<std::string, Entry>& entries() const { return entries_; }
    const Entry* find(const std::string& key) const;
    // To change an entry: what becomes of its report. It is written then.
    Entry* change(const std::string& key);

    // What has changed since the last call: key, and text; an absent text: the entry has gone.
    using Changes = std::vector<std::pair<std::string, std::optional<std::string>>>;
    Changes changes();
    void again(const Changes& changes);  // they could not be written
    bool changed() const { return !changed_.empty(); }
    // The entries that were closed since the last call, and have neither id nor time yet.
    std::vector<std::string> newly_closed();

private:
    Entry& current(const std::string& domain);
    void close_entry(Entry& entry, std::int64_t end);
    void warn_once(std::uint8_t what, const char* text);

    Limits limits_;
    std::map<std::string, Entry> entries_;     // by key: in the order of time
    std::map<std::string, std::string> open_;  // domain → key of the entry that is counted into
    std::set<std::string> changed_;
    std::vector<std::string> newly_closed_;
    std::int64_t today_ = 0;  // its first second; never goes back
    std::size_t bytes_ = 0;   // of today's policies and failures
    std::uint8_t warned_ = 0;
};
}
