// The right-hand side of an alias, a line of a .forward or :include: file: destinations, separated by commas or blanks.
//
//     alice, "|procmail -a work", /var/archive/, ~/Mail/, :include:/etc/staff, "O'Hara"@example.org, \\bob
//
// Everything is read as an RFC 5322 address list: quotes keep together what has blanks, commas and the like in it,
// wherever they stand (|"a b" and "|a b" are one command), a comment (…) is left out. What an address then is, its
// first character says, when quotes and backslashes are off: | a command, / a file, ~/ a file in the user's home
// directory, :include: a list.
//
// When things fail: nothing is refused here. Unbalanced quotes end with the text.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace local {
struct Destination {
    enum class Kind : std::uint8_t { address, command, file, include };
    Kind kind;
    std::string
        text;  // address: external form; command: without the '|'; file: begins with '/' or '~'; include: its file
};
std::vector<Destination> parse_destinations(std::string_view text);
// The lines of a file: comment lines and empty ones do not count.
std::vector<Destination> parse_destination_lines(std::string_view text);
}
