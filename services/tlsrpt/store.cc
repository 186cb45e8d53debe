#include "store.h"
#include <cerrno>
#include <cstdio>
#include "log/log.h"

namespace tlsrpt {
namespace {
constexpr std::size_t entries_limit =
    4000000;  // more than the largest tlsrpt_domain_limit makes of three days: pages that lead in a circle

Result<std::unique_ptr<table::Table>> open_table(const std::string& name) {
    table::OpenOptions options;
    options.fold = options.utf8 = false;
    options.duplicates = table::Duplicates::replace;
    options.access = table::Access::update;
    return table::open(name, options);
}

// Not a file of this type, as opposed to one that cannot be reached or is in use.
bool damaged(const Error& why) { return !why.status.temporary() && (why.sys_errno == 0 || why.sys_errno == EINVAL); }

bool set_aside(const std::string& name, const Error& why) {
    auto colon = name.find(':');
    auto suffix = table::file_suffix(name.substr(0, colon));
    if (colon == name.npos || !suffix)
        return false;
    std::string path = name.substr(colon + 1) + std::string(*suffix);
    if (std::rename(path.c_str(), (path + ".damaged").c_str()) != 0)
        return false;
    maillog::warning("TLS report database {}: {}: set aside as {}.damaged", name, why.reason, path);
    return true;
}

Result<std::vector<Entry>> read_all(table::Table& from) {
    std::vector<Entry> all;
    std::vector<std::string> bad;
    auto next = from.first();
    for (; next && *next; next = from.next()) {
        if (all.size() + bad.size() >= entries_limit)
            return permanent("its pages lead in a circle");
        auto entry = Entry::parse((*next)->value);
        if (entry && entry->key() == (*next)->key)
            all.push_back(std::move(*entry));
        else
            bad.push_back((*next)->key);
    }
    if (!next)
        return permanent(next.error().reason);
    for (const std::string& key : bad) {
        maillog::warning("TLS report database: the entry of {} cannot be read and goes", key);
        (void)from.erase(key);
    }
    return all;
}
}

Result<Store> Store::open(const std::string& name, Collection& into, std::int64_t now) {
    for (bool again = false;; again = true) {
        Store s;
        Result<std::vector<Entry>> all;
        auto opened = open_table(name);
        if (opened) {
            s.table_ = std::move(*opened);
            all = read_all(*s.table_);
        }
        if (opened && all) {
            for (Entry& e : *all)
                into.load(std::move(e), now);
            return s;
        }
        Error why = opened ? all.error() : opened.error();
        s.table_.reset();
        if (again || !damaged(why) || !set_aside(name, why))
            return tl::unexpected(std::move(why));
    }
}

Result<void> Store::write(const Collection::Changes& changes) {
    for (const auto& [key, text] : changes) {
        if (text)
            TRY(table_->put(key, *text));
        else
            TRY(table_->erase(key));
    }
    return table_->commit();
}
}
