// What a table type tells the registry, and what the types share. Private to lib/table.
#pragma once
#include <sys/stat.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "conf/network.h"
#include "table/table.h"

namespace table {
struct Type {
    std::string_view name;
    std::string_view suffix;  // of the file that postmap makes; empty: postmap makes none
    Result<std::unique_ptr<Table>> (*open)(std::string_view name, const OpenOptions& options);
};
extern const Type btree_type, cdb_type, cidr_type, environ_type, fail_type, hash_type, inline_type, internal_type,
    lmdb_type, pcre_type, nis_type, pipemap_type, proxy_type, randmap_type, regexp_type, socketmap_type, static_type,
    texthash_type, unionmap_type, unix_type;

// configure()'s values.
struct Process {
    bool utf8 = true, open_error_is_fatal = false;
    std::string default_type = "hash";
    conf::Families families{};  // inet_protocols: of those that connect
    std::size_t db_create_cache = 16777216, db_read_cache = 131072, lmdb_map = 16777216, socketmap_query = 10000,
                socketmap_reply = 100000;
};
Process& process();

void remember_file(const std::string& path);  // for opened_files()

// The members of "{ a, {b c}, d }": braces of members taken off and white space around them; an Error for anything
// else, worded as 'bad syntax: "TYPE:NAME"; need "TYPE:{FORM...}"'.
Result<std::vector<std::string>> braced_members(std::string_view type, std::string_view name, std::string_view form);
// The text of a rule file: what is in the file, or for "{ {rule}, … }" the rules, one a line. The file is remembered.
Result<std::string> rule_text(std::string_view type, std::string_view name);

// Has the file at path changed since it was opened? Looks at most every 50 ms; what cannot be looked at has not
// changed.
class FileWatch {
public:
    void opened(const std::string& path, const struct stat& info);
    bool changed();  // true once for each change
private:
    std::string path_;
    struct stat info_ {};
    std::int64_t looked_ = 0;
};
}
