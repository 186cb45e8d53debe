// Reads main.cf: "name = value" lines, each continued by lines that begin with white space; lines of # and empty lines
// do not count, also between a line and its continuation.
//
// When things fail: an unreadable file, a line without '=' or without a name is an Error that names file and line. A
// line that begins with white space where nothing can be continued is a warning and is passed over, and so is a name
// defined twice: the later line wins.
#pragma once
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"

namespace conf {
struct MainLine {
    std::string name, value;  // value: continuation lines joined as they stand (line ends removed)
    int line = 0;             // where the logical line begins, from 1
    int last = 0;             // where it ends (its last continuation)
};
struct MainFile {
    std::string path;
    std::vector<MainLine> lines;  // in the order of the file, duplicates included
    std::vector<std::string> warnings;
};

Result<MainFile> read_main_cf(const std::string& path);
Result<MainFile> parse_main_cf(std::string_view text, const std::string& path);

// A logical line of a configuration file, as main.cf and master.cf have them.
struct LogicalLine {
    std::string text;
    int line, last;
};
// Splits text into logical lines. Continuations keep their leading white space; the white space at the end of each is
// removed.
std::vector<LogicalLine> logical_lines(std::string_view text, const std::string& path,
                                       std::vector<std::string>& warnings);
}
