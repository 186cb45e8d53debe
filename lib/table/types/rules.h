// What regexp: and pcre: tables share: rules "/pattern/flags result", "!/pattern/flags result", "if /pattern/flags" …
// "endif", tried in order; $1, ${1}, $(1) and $$ in results. How a pattern is compiled and matched is the library's
// (Pattern). Private to lib/table.
//
// When things fail: a rule that makes no sense is reported with file and line, in Postfix's words, and passed over, as
// Postfix does; matching that runs into a limit is an Error, so that no mail passes a filter that gave up.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "table/table.h"

namespace table {
// Where the groups of a match lie in the subject; group 0 is the whole.
struct Span {
    std::size_t start = std::string_view::npos, end = 0;
};
using Groups = std::vector<Span>;

// brief: on the loop, where other sessions wait, so a pattern that needs more than a moment says `undecided` and is
// asked again. any: in a thread of the pool, at the same time as others; however long it takes.
enum class Effort { brief, any };
enum class Match { no, yes, undecided };

class Pattern {
public:
    virtual ~Pattern() = default;
    virtual std::size_t groups() const = 0;  // ( ) in the pattern
    // yes: it matches, and groups holds where.
    virtual Result<Match> match(std::string_view subject, Groups& groups, Effort effort) const = 0;
};

struct Dialect {
    std::string_view type;   // "regexp" or "pcre"
    std::string_view flags;  // the letters it knows
    std::string_view
        unclosed;  // what becomes of a rule without a closing delimiter: "skipping" or "ignoring" this rule
    // utf8: subjects are UTF-8 and "." is one letter; else any bytes may come. The Error's reason is what follows "TYPE
    // map NAME, line N: ".
    Result<std::unique_ptr<Pattern>> (*compile)(std::string_view pattern, std::string_view flags, bool utf8);
};

Result<std::unique_ptr<Table>> open_rules(const Dialect& dialect, std::string_view name, const OpenOptions& options);
}
