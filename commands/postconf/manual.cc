// postconf(5) from the declarations, in man's macros. Nothing here is written by hand but the frame.
#include <fmt/format.h>
#include <stdio.h>

#include <algorithm>
#include <string>
#include <vector>

#include "conf/catalogue.h"
#include "facts.h"

namespace postconf {
namespace {
// Backslashes and what roff takes for a request at the start of a line.
std::string roff(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else if (c == '\'' || (c == '.' && (out.empty() || out.back() == '\n'))) {
            out += "\\&";
            out += c;
        } else
            out += c;
    }
    return out;
}

std::string range(const conf::Parameter& p) {
    using limits = std::numeric_limits<std::int64_t>;
    if (p.kind == conf::Kind::text)
        return p.min == 1 ? "Text that is not empty." : "";
    if (p.kind == conf::Kind::boolean)
        return "yes or no.";
    std::string unit = p.kind == conf::Kind::time ? " s" : "";
    std::string out = p.kind == conf::Kind::time ? "A time" : "A number";
    if (p.min != limits::min())
        out += fmt::format(", at least {}{}", p.min, unit);
    if (p.max != limits::max())
        out += fmt::format(", at most {}{}", p.max, unit);
    return out + ".";
}
}

void show_manual() {
    fmt::print(R"(.TH POSTCONF 5 "" "Posthorn" "File formats"
.SH NAME
postconf \- the parameters of main.cf
.SH DESCRIPTION
.B main.cf
holds lines
.IR "name " = " value" ;
a line that begins with white space continues the one before it, and lines whose first character is # are comments.
A value may use other parameters:
.BR $name ", " ${{name}} " and " $(name)
stand for a value;
.B ${{name?{{text}}:{{text}}}}
chooses by whether the value is empty;
.B ${{{{text}} == {{text}} ? {{text}} : {{text}}}}
compares (==, !=, <, <=, >=, >, and the same with \(lqlevel\(rq behind for compatibility levels);
.B ${{domain_to_ascii{{text}}}}
writes a domain name in ASCII;
.B $$
is a dollar sign.
A time is a number with one of s, m, h, d or w behind it; without one it has the unit of the default.
An entry of
.B master.cf
overrides a parameter for one service with
.BI \-o " name" = value\fR.
.PP
A change takes effect with
.BR "postfix reload" .
Parameters marked \(lqnot built yet\(rq are accepted with a warning;
.B postfix check
names those that are set.
.SH PARAMETERS
)");
    for (const conf::Parameter* p : conf::all_parameters()) {
        std::string name(p->name);
        if (conf::is_family(*p))
            name = "SERVICE" + name.substr(std::string_view("transport").size());
        fmt::print(".TP\n\\fB{}\\fR (default: {})\n", roff(name), p->fallback.empty() ? "empty" : roff(p->fallback));
        fmt::print("{}", roff(p->doc));
        if (std::string text = range(*p); !text.empty())
            fmt::print("\n{}", roff(text));
        if (!p->obsolete.empty())
            fmt::print("\nSupport for this parameter {}.", roff(p->obsolete));
        else if (!p->implemented)
            fmt::print("\nNot built yet.");
        fmt::print("\n");
    }
    fmt::print(".SH SEE ALSO\npostconf(1), master(5)\n");
}
}
