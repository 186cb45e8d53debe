// One session cache (smtpd, smtp or lmtp) in a table file: id → when it was saved, and the session. Entries end with
// the side's …_session_cache_timeout.
//
// When things fail: a file that cannot be opened is one warning, and that side goes without; a broken entry is no
// entry; a file that is or becomes damaged is replaced by an empty one, with a warning, at most once a minute.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace table {
class Table;
}

namespace tlsmgr {
class SessionCache {
public:
    static constexpr std::size_t entries_limit = 200000, session_limit = 64 * 1024, id_limit = 1024;

    // file: "btree:/var/lib/postfix/smtpd_scache", made anew, whoever has the old one open; empty: no cache. Call with
    // the rights that the file is to have. told: every request is logged.
    SessionCache(std::string name, const std::string& file, std::chrono::seconds timeout, bool told = false,
                 std::size_t most = entries_limit);
    ~SessionCache();
    const std::string& name() const { return name_; }
    std::chrono::seconds timeout() const { return timeout_; }
    bool open() const { return table_ != nullptr; }

    std::optional<std::string> find(std::string_view id, std::int64_t now);  // the session in base64
    bool save(std::string_view id, std::string_view session, std::int64_t now);
    bool remove(std::string_view id);
    // Removes what is older than the timeout.
    void sweep(std::int64_t now);

private:
    // Puts an empty file in the place of what is there; why: for the warning, empty at start.
    void start(std::int64_t now, const std::string& why);
    std::string name_, file_, path_;  // path_: what the table's name stands for, where it is a file
    std::int64_t started_ = 0;
    std::chrono::seconds timeout_;
    std::unique_ptr<table::Table> table_;
    bool told_;
    std::size_t most_, entries_ = 0;  // at least so many; sweep() counts anew
};
}
