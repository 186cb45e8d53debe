// What a main.cf parameter is. Each is declared once, in lib/conf/params/AREA.h, as an inline constexpr constant in
// namespace `param` whose identifier is the parameter's own name (2bounce_notice_recipient:
// param::n2bounce_notice_recipient). The parser, postconf, postconf(5) and the tests read the same declaration through
// conf::all_parameters().
#pragma once
#include <cstdint>
#include <limits>
#include <string_view>

namespace conf {
enum class Kind : std::uint8_t { boolean, integer, time, text };

// What a text must be. origin: a mail domain ("[1.2.3.4]" and UTF-8 too), or, as Debian has it, /the/name of a file
// whose first line is one: settings then hold the domain, while $myorigin in other values and postconf keep the name of
// the file.
enum class Form : std::uint8_t { any, hostname, origin };

// Programs that deliver: what a family says of a transport holds for their services.
inline constexpr std::string_view transports = "smtp lmtp local virtual pipe error";

struct Parameter {
    std::string_view name;
    std::string_view fallback;  // the default as postconf -d prints it; may hold $name
    std::int64_t min =
        std::numeric_limits<std::int64_t>::min();  // integer and time (seconds): the value's; text: 1 means "not empty"
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
    bool implemented = false;        // it does what it says: a test fails when it is ignored (tests/mutation)
    bool raw = false;                // $name in the value is left for its user to expand, at each use
    std::string_view doc = {};       // one or two sentences of our own
    bool removed = false;            // an old name: undefined unless main.cf sets it, and postconf -d does not show it
    std::string_view obsolete = {};  // what follows "support for parameter X" in the warning to those who set it
    Form form = Form::any;
    std::string_view programs = {};  // a family's: services of these programs have a member of it
    Kind kind = Kind::text;          // set by the typed constants below
};

// The typed constants: settings[param::x] has the type that belongs to the constant.
struct Bool : Parameter {
    constexpr Bool(Parameter p) : Parameter(p) { kind = Kind::boolean; }
};  // yes | no
struct Int : Parameter {
    constexpr Int(Parameter p) : Parameter(p) { kind = Kind::integer; }
};  // std::int64_t
struct Time : Parameter {
    constexpr Time(Parameter p) : Parameter(p) { kind = Kind::time; }
};  // std::chrono::seconds; a bare number has the default's unit
struct Text : Parameter {
    constexpr Text(Parameter p) : Parameter(p) { kind = Kind::text; }
};  // std::string: text, lists, tables, paths
}
