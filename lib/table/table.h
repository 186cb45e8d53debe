// Lookup tables: "type:name" opened as an object that finds a value for a key. One file a type (types/TYPE.cc), each
// known to the registry in table.cc by its name. For every daemon, command and for Maps and MatchList, which are what
// most callers use.
//
//     TRY_ASSIGN(std::unique_ptr<table::Table> aliases, table::open("hash:/etc/aliases"));
//     TRY_ASSIGN(std::optional<std::string> value, aliases->find("postmaster"));
//
// When things fail: open() says what is wrong (no such type, unreadable file, bad pattern with file and line). find()
// fails with a temporary 4.3.0 that names the table. Callers that must go on with a broken table use open_or_broken():
// its find() always fails, so mail that needs the table stays queued, and the reason is logged once.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"

namespace conf {
class Settings;
}

namespace table {
// What may be done. update: a daemon's own cache, changed in place, made where missing, for this process alone (an
// exclusive lock). edit: a copy that takes the old table's place at commit(), which is as safe for readers as create: a
// new, empty one.
enum class Access : std::uint8_t { read, update, edit, create };
enum class Duplicates : std::uint8_t { warn, ignore, replace };  // what put() does with a key that is there already

struct OpenOptions {
    bool fold = true;  // fixed-string tables find keys in any case; patterns have flags of their own
    bool utf8 = true;  // keys and values must be UTF-8 (where smtputf8_enable says so)
    bool refuse_substitution =
        false;  // the value decides a user, a file or a command: regexp $n and proxy: are refused
    Access access = Access::read;
    Duplicates duplicates = Duplicates::warn;
    unsigned create_mode = 0644;  // of a file that was not there; otherwise the old file's owner and mode stay
    bool try_without_nul = true,
         try_with_nul = true;  // indexed files: key forms to try (postmap -N and -n narrow this)
    std::function<std::unique_ptr<class Table>(std::string_view type, std::string_view name)> replaced_by =
        {};  // tests
};

// For keys that are no addresses or names but text of others, in any encoding: content, replies. What is not UTF-8 is
// looked up there as all else, or it would pass by.
inline OpenOptions any_bytes() {
    OpenOptions options;
    options.utf8 = false;
    return options;
}

struct Entry {
    std::string key, value;
};

class Table {
public:
    explicit Table(std::string name) : name_(std::move(name)) {}  // "type:name", as log lines show it
    virtual ~Table() = default;
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    // The value; absent where there is none; an Error (4.3.0) where the table cannot tell. Folds the key as opened.
    Result<std::optional<std::string>> find(std::string_view key);
    // For tables opened with Access::update or create, and caches. True: there was such a key.
    Result<void> put(std::string_view key, std::string_view value);
    Result<bool> erase(std::string_view key);
    // As put(), but key and value exactly so, without folding and without NUL: what other programs look for.
    virtual Result<void> put_raw(std::string_view key, std::string_view value) { return store(key, value); }
    // All entries in the table's own order: first(), then next() until absent.
    virtual Result<std::optional<Entry>> first();
    virtual Result<std::optional<Entry>> next();
    // Ends edit and create: syncs, and puts the new file in the old one's place; without it nothing has changed. The
    // table is of no more use then. For update: writes out what is buffered.
    virtual Result<void> commit() { return {}; }

    const std::string& name() const { return name_; }
    // A pattern table looks at the whole subject: callers do not try parts of it (no user, domain, parent domain …).
    bool pattern() const { return pattern_; }
    // Values come from outside this host's trusted files (environ …): never for users, files, commands.
    bool trusted() const { return trusted_; }

protected:
    virtual Result<std::optional<std::string>> lookup(std::string_view key) = 0;  // key folded
    virtual Result<void> store(std::string_view key, std::string_view value);
    virtual Result<bool> remove(std::string_view key);
    bool pattern_ = false, trusted_ = true;
    bool fold_ = false, utf8_ = false;  // set by the type where it wants find() to do it

private:
    std::string name_;
};

// "type:name" or "name" alone, which takes default_database_type. "proxy:type:name" opens type:name here.
Result<std::unique_ptr<Table>> open(std::string_view type_and_name, const OpenOptions& options = {});
// The same, but what cannot be opened is a table whose find() fails; one line is logged. With
// daemon_table_open_error_is_fatal it ends the process.
std::unique_ptr<Table> open_or_broken(std::string_view type_and_name, const OpenOptions& options = {});
std::unique_ptr<Table> broken(std::string_view name, Error why);

// What the process's settings say of tables: smtputf8_enable, default_database_type, berkeley_db_*, lmdb_map_size. Call
// before open(); without it the defaults hold.
void configure(const conf::Settings& settings);
// Names of all types, sorted (postconf -m).
std::vector<std::string> types();
bool known_type(std::string_view type);
// The types whose files postmap can make: the suffix of their file (".db", ".lmdb", ".cdb"), or absent.
std::optional<std::string> file_suffix(std::string_view type);
// Every file that a table of this process was opened from (for the server's watch: DESIGN.md, section 4).
const std::vector<std::string>& opened_files();

// The key as find() folds it: Unicode case folding for valid UTF-8 (utf8), else ASCII.
std::string folded(std::string_view key, bool utf8);
}
