// The database of entries (entry.h): key "2026-11-22/00:00:00/example.org", value one JSON object. `postmap -s
// btree:/var/lib/postfix/tlsrpt` shows it. The process's umask makes a new file the owner's alone.
//
// When things fail: a file that is damaged is set aside as NAME.damaged, with a warning, and a new one begun; where
// none can be opened or written, the caller goes on in memory.
#pragma once
#include <memory>
#include <string>
#include <vector>
#include "collection.h"
#include "table/table.h"

namespace tlsrpt {
class Store {
public:
    // table: "btree:/path" or "lmdb:/path". What it holds goes to `into`.
    static Result<Store> open(const std::string& table, Collection& into, std::int64_t now);
    Result<void> write(const Collection::Changes& changes);

private:
    std::unique_ptr<table::Table> table_;
};
}
