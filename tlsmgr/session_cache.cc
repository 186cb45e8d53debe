#include "session_cache.h"
#include <fmt/format.h>
#include <vector>
#include "base/bytes.h"
#include "log/log.h"
#include "table/table.h"

namespace tlsmgr {
namespace {
// "1795308561 BASE64": a value without octets that some table type could mind.
std::optional<std::int64_t> saved_at(std::string_view value, std::string_view& session) {
    auto [time, rest] = bytes::cut(value, ' ');
    if (!rest) return std::nullopt;
    session = *rest;
    return bytes::to_int(time);
}
}

SessionCache::SessionCache(std::string name, const std::string& file, std::chrono::seconds timeout) : name_(std::move(name)), timeout_(timeout) {
    if (file.empty() || timeout.count() <= 0) return;
    table::OpenOptions options;
    options.fold = options.utf8 = false;
    options.duplicates = table::Duplicates::replace;
    options.create_mode = 0600;                  // sessions are secrets
    options.access = table::Access::create;      // what an earlier process left may be of another version of the library
    if (auto fresh = table::open(file, options); fresh) {
        if (auto done = (*fresh)->commit(); !done) maillog::warning("TLS session cache {}: {}", file, done.error().reason);
    } else {
        maillog::warning("TLS session cache {}: {}", file, fresh.error().reason);
        return;
    }
    options.access = table::Access::update;
    if (auto opened = table::open(file, options); opened) table_ = std::move(*opened);
    else maillog::warning("TLS session cache {}: {}", file, opened.error().reason);
}

SessionCache::~SessionCache() = default;

std::optional<std::string> SessionCache::find(std::string_view id, std::int64_t now) {
    if (!table_ || id.empty() || id.size() > id_limit) return std::nullopt;
    auto value = table_->find(id);
    if (!value || !*value) return std::nullopt;
    std::string_view session;
    auto when = saved_at(**value, session);
    if (when && *when <= now && now - *when < timeout_.count()) return std::string(session);
    remove(id);
    return std::nullopt;
}

bool SessionCache::save(std::string_view id, std::string_view session, std::int64_t now) {
    if (!table_ || id.empty() || id.size() > id_limit || session.size() > session_limit) return false;
    if (entries_ >= entries_limit) return false;
    auto done = table_->put(id, fmt::format("{} {}", now, session));
    if (!done) maillog::warning("TLS session cache {}: {}", name_, done.error().reason);
    entries_ += done.has_value();
    return done.has_value();
}

bool SessionCache::remove(std::string_view id) {
    if (!table_) return false;
    auto done = table_->erase(id);
    if (done && *done && entries_ > 0) --entries_;
    return done && *done;
}

void SessionCache::sweep(std::int64_t now) {
    if (!table_) return;
    std::vector<std::string> old;
    std::size_t seen = 0;
    for (auto entry = table_->first(); entry && *entry; entry = table_->next()) {
        ++seen;
        std::string_view session;
        auto when = saved_at((*entry)->value, session);
        if (!when || now - *when >= timeout_.count()) old.push_back((*entry)->key);
    }
    entries_ = seen;
    for (const std::string& id : old) remove(id);
}
}
