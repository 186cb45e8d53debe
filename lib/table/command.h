// The command line that postmap and postalias share: build tables from source files, query, update and list them. Each
// says in a TableCommand what differs: its source format and the separator of its output.
//
// When things fail: "NAME: fatal: …" and status 1 for what makes the command useless; "NAME: warning: …" for a source
// line that makes no sense, which is passed over. A table that is being built takes the old one's place only when all
// went well.
#pragma once
#include <string>
#include <string_view>
#include "base/error.h"
#include "table/table.h"

namespace conf {
class Settings;
}

namespace table {
struct SourceEntry {
    std::string key, value;
};

struct TableCommand {
    std::string_view name;       // "postmap"
    std::string_view options;    // for getopt(3)
    std::string_view usage;      // behind "usage: "
    std::string_view separator;  // between key and value on output: "\t" or ":\t"
    // One logical line of a source file. The Error's reason follows "NAME: warning: FILE, line N: ".
    Result<SourceEntry> (*parse)(std::string_view line);
    // A line that is well-formed and odd gets this warning; empty: none.
    std::string (*remark)(std::string_view line) = nullptr;
    Result<void> (*finish)(Table& table, const conf::Settings& settings) = nullptr;  // adds entries to a new table
};

int run_command(const TableCommand& command, int argc, char** argv);
}
