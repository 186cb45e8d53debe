#include "collection.h"
#include <algorithm>
#include "base/bytes.h"
#include "dns/dns.h"
#include "log/log.h"

namespace tlsrpt {
namespace {
enum : std::uint8_t { too_many_domains = 1, too_many_details = 2 };
}

Result<void> Collection::add(const ipc::tlsrpt::Datagram& session, std::int64_t now) {
    std::string domain = bytes::lowered(session.domain);
    if (domain.size() > 253 || !dns::valid_hostname(domain))
        return permanent("the recipient domain is no host name", {5, 6, 0});
    turn(now);
    if (!open_.contains(domain) && open_.size() >= limits_.domains) {
        warn_once(too_many_domains,
                  "more domains than tlsrpt_domain_limit: sessions with others are not counted until tomorrow");
        return {};
    }
    Entry& entry = current(domain);
    bool cut = false;
    bytes_ += entry.add(session, bytes_ < limits_.bytes, limits_.details, &cut);
    if (cut)
        warn_once(too_many_details, "more failures or policies than can be noted (tlsrpt_detail_limit): they are "
                                    "counted, but not described, until tomorrow");
    changed_.insert(entry.key());
    return {};
}

void Collection::warn_once(std::uint8_t what, const char* text) {
    if (!(warned_ & what))
        maillog::warning("{}", text);
    warned_ |= what;
}

Entry& Collection::current(const std::string& domain) {
    if (auto it = open_.find(domain); it != open_.end())
        return entries_.at(it->second);
    Entry entry;
    entry.domain = domain;
    entry.begin = today_;
    // Behind what was reported of this day already.
    for (auto before = entries_.find(entry.key()); before != entries_.end(); before = entries_.find(entry.key()))
        entry.begin = before->second.end + 1;
    std::string key = entry.key();
    open_[domain] = key;
    return entries_[key] = std::move(entry);
}

void Collection::close_entry(Entry& entry, std::int64_t end) {
    entry.end = std::max(end, entry.begin);
    open_.erase(entry.domain);
    changed_.insert(entry.key());
    newly_closed_.push_back(entry.key());
}

void Collection::turn(std::int64_t now) {
    if (now < today_ + day)
        return;
    today_ = now / day * day;
    bytes_ = warned_ = 0;
    auto ended = std::move(open_);
    open_.clear();
    for (const auto& [domain, key] : ended) {
        Entry& entry = entries_.at(key);
        close_entry(entry, entry.begin / day * day + day - 1);
    }
}

bool Collection::close(const std::string& domain, std::int64_t now) {
    turn(now);
    auto it = open_.find(domain);
    if (it == open_.end())
        return false;
    close_entry(entries_.at(it->second), now);
    return true;
}

std::vector<Entry> Collection::expire(std::int64_t now, std::int64_t age) {
    std::vector<Entry> lost;
    for (auto it = entries_.begin(); it != entries_.end();) {
        if (!it->second.closed() || now - it->second.end < age) {
            ++it;
            continue;
        }
        changed_.insert(it->first);
        if (!it->second.done)
            lost.push_back(std::move(it->second));
        it = entries_.erase(it);
    }
    return lost;
}

void Collection::load(Entry entry, std::int64_t now) {
    turn(now);
    std::string key = entry.key();
    Entry& e = entries_[key] = std::move(entry);
    if (e.closed())
        return;
    if (e.begin >= today_ && !open_.contains(e.domain))
        open_[e.domain] = key;
    else
        close_entry(e, e.begin / day * day + day - 1);
}

const Entry* Collection::find(const std::string& key) const {
    auto it = entries_.find(key);
    return it == entries_.end() ? nullptr : &it->second;
}

Entry* Collection::change(const std::string& key) {
    auto it = entries_.find(key);
    if (it == entries_.end())
        return nullptr;
    changed_.insert(key);
    return &it->second;
}

Collection::Changes Collection::changes() {
    Changes list;
    for (const std::string& key : std::exchange(changed_, {})) {
        const Entry* e = find(key);
        list.emplace_back(key, e ? std::optional(e->text()) : std::nullopt);
    }
    return list;
}

void Collection::again(const Changes& changes) {
    for (const auto& [key, text] : changes)
        changed_.insert(key);
}

std::vector<std::string> Collection::newly_closed() { return std::exchange(newly_closed_, {}); }
}
