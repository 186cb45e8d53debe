#include "session_cache.h"
#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <vector>
#include "base/bytes.h"
#include "log/log.h"
#include "table/table.h"

namespace tlsmgr {
namespace {
// "1795308561 BASE64": a value without octets that some table type could mind.
std::optional<std::int64_t> saved_at(std::string_view value, std::string_view& session) {
    auto [time, rest] = bytes::cut(value, ' ');
    if (!rest)
        return std::nullopt;
    session = *rest;
    return bytes::to_int(time);
}

// Of what is kept as base64.
std::size_t octets(std::string_view session) {
    return session.size() / 4 * 3 - static_cast<std::size_t>(std::count(session.begin(), session.end(), '='));
}
}

SessionCache::SessionCache(std::string name, const std::string& file, std::chrono::seconds timeout, bool told,
                           std::size_t most)
    : name_(std::move(name)), file_(file), timeout_(timeout), told_(told), most_(most) {
    if (file_.empty() || timeout.count() <= 0)
        return;
    if (told_)
        maillog::info("open {} TLS cache {}", name_, file_);
    std::size_t colon = file_.find(':');
    if (auto suffix = table::file_suffix(file_.substr(0, colon)); suffix && colon != file_.npos)
        path_ = file_.substr(colon + 1) + *suffix;
    // What an earlier process left goes in any case, it may be of another version of the library; but damage is worth a
    // line.
    table::OpenOptions options;
    options.access = table::Access::read;
    bool there = !path_.empty() && access(path_.c_str(), F_OK) == 0;
    if (auto old = table::open(file_, options); there && !old)
        maillog::warning("TLS session cache {}: {}: replaced by an empty one", file_, old.error().reason);
    start(0, "");
}

void SessionCache::start(std::int64_t now, const std::string& why) {
    if (!why.empty()) {
        if (now - started_ < 60)
            return;
        maillog::warning("TLS session cache {}: {}: replaced by an empty one", file_, why);
    }
    started_ = now;
    entries_ = 0;
    table_.reset();
    // At a reload the predecessor still has its file open, and locked: it keeps that one, without a name, until it
    // ends.
    if (!path_.empty() && unlink(path_.c_str()) != 0 && errno != ENOENT) {
        maillog::warning("TLS session cache {}: cannot remove {}: {}", file_, path_, errno_text(errno));
        return;
    }
    table::OpenOptions options;
    options.fold = options.utf8 = false;
    options.duplicates = table::Duplicates::replace;
    options.create_mode = 0600;  // sessions are secrets
    options.access = table::Access::update;
    if (auto opened = table::open(file_, options); opened)
        table_ = std::move(*opened);
    else
        maillog::warning("TLS session cache {}: {}", file_, opened.error().reason);
}

SessionCache::~SessionCache() = default;

std::optional<std::string> SessionCache::find(std::string_view id, std::int64_t now) {
    if (!table_ || id.empty() || id.size() > id_limit)
        return std::nullopt;
    if (told_)
        maillog::info("lookup {} session id={}", name_, id);
    auto value = table_->find(id);
    if (!value)
        start(now, value.error().reason);
    if (!value || !*value)
        return std::nullopt;
    std::string_view session;
    auto when = saved_at(**value, session);
    if (told_ && when)
        maillog::info("read {} TLS cache entry {}: time={} [data {} bytes]", name_, id, *when, octets(session));
    if (when && *when <= now && now - *when < timeout_.count())
        return std::string(session);
    remove(id);
    return std::nullopt;
}

bool SessionCache::save(std::string_view id, std::string_view session, std::int64_t now) {
    if (!table_ || id.empty() || id.size() > id_limit || session.size() > session_limit)
        return false;
    if (told_)
        maillog::info("put {} session id={} [data {} bytes]", name_, id, octets(session));
    if (entries_ >= most_)
        return false;
    auto done = table_->put(id, fmt::format("{} {}", now, session));
    bool saved = done.has_value();
    if (!saved)
        start(now, done.error().reason);
    entries_ += saved;
    if (told_ && saved)
        maillog::info("write {} TLS cache entry {}: time={} [data {} bytes]", name_, id, now, octets(session));
    return saved;
}

bool SessionCache::remove(std::string_view id) {
    if (!table_)
        return false;
    if (told_)
        maillog::info("delete {} session id={}", name_, id);
    auto done = table_->erase(id);
    if (done && *done && entries_ > 0)
        --entries_;
    return done && *done;
}

void SessionCache::sweep(std::int64_t now) {
    if (!table_)
        return;
    if (told_)
        maillog::info("start TLS {} session cache cleanup", name_);
    std::vector<std::string> old;
    std::size_t seen = 0;
    for (auto entry = table_->first(); entry && *entry; entry = table_->next()) {
        ++seen;
        std::string_view session;
        auto when = saved_at((*entry)->value, session);
        if (!when || now - *when >= timeout_.count())
            old.push_back((*entry)->key);
    }
    entries_ = seen;
    for (const std::string& id : old)
        remove(id);
}
}
