// The right-hand side of an alias, a line of a .forward or :include: file: destinations, separated by commas.
//
//     alice, "|procmail -a work", /var/archive/, :include:/etc/staff, "O'Hara"@example.org, \bob
//
// A comma, a quoted string, a comment (…) or <…> keeps what is in it together. A destination in quotes, or one that begins with
// | / : is taken to the next comma outside quotes; everything else is read as an RFC 5322 address list.
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
    std::string text;                            // address: external form; command: without the '|'; include: the file's name
    bool to_mailbox = false;                     // "\name": no aliases, no .forward
};
std::vector<Destination> parse_destinations(std::string_view text);
// The lines of a file: comment lines and empty ones do not count.
std::vector<Destination> parse_destination_lines(std::string_view text);
}
