// Indexed tables on damaged files: cdb. The libraries behind hash:, btree: (Berkeley DB) and lmdb: trust their files,
// as their manuals say: see README.md.
#include "fuzz.h"
#include "table/table.h"

void fuzz::one(std::string_view bytes) {
    fuzz::Choices choose(bytes);
    std::string key(choose.text());
    fuzz::write_file("table.cdb", choose.rest());
    auto t = table::open("cdb:" + fuzz::scratch() + "/table");
    if (!t)
        return;
    (void)(*t)->find(key);
    (void)(*t)->find("a");
    std::size_t entries = 0;
    for (auto e = (*t)->first(); e && *e && entries < 10000; e = (*t)->next())
        ++entries;
    fuzz::require(entries <= bytes.size(), "there are no more entries than bytes");
}
