// The words of RFC 5322 address syntax, and lists of addresses that can be rewritten where they stand.
//
// For header rewriting (cleanup, smtp), sendmail's arguments, aliases and trivial-rewrite.
// When things fail: nothing is refused; unbalanced quotes, comments and brackets end with the text. Time and memory are
// linear in the text, nothing recurs: no limit is needed, and an address or a recipient beyond one would be lost in
// silence. Only header rewriting has one (header_address_token_limit).
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mail {
struct AddressToken {
    enum class Kind : std::uint8_t { atom, quoted, literal, comment, special };
    Kind kind;
    std::string text;         // atom and special: itself; the others: between their delimiters, backslashes kept
    std::size_t missing = 0;  // delimiters that do not close it: it ends with the text
    bool is(char special) const { return kind == Kind::special && text[0] == special; }
};
// Specials are < > @ , ; : . and, outside quotes, a lone ')' or ']'. "%" and "!" are part of atoms. A backslash at the
// end of the text, where an atom would begin, is an empty word.
std::vector<AddressToken> address_tokens(std::string_view text, std::size_t limit = SIZE_MAX);
// The tokens back as text, on one line, in external form, without white space except between words and around comments.
std::string tokens_text(const std::vector<AddressToken>& tokens);

class AddressList {
public:
    static AddressList parse(std::string_view text, std::size_t token_limit = SIZE_MAX);
    // The same for a header field that a stranger made as long as header_size_limit lets it be: where that takes more
    // than a moment, a thread of the pool does it, and the fiber waits.
    static AddressList parse_long(std::string_view text, std::size_t token_limit = SIZE_MAX);

    bool cut() const { return cut_; }  // the text has more than token_limit tokens: what follows is not here

    // All addresses in order, in external form; "" for <>. Not the names of groups.
    std::vector<std::string> addresses() const;
    // Offers each address (external form, comments apart) and puts what comes back in its place. Text that comes back
    // is parsed as an address list: where it holds several, all are put there. True when something changed.
    bool rewrite(const std::function<std::optional<std::string>(const std::string& external)>& with);
    // "header" (with its colon) and the list, folded after commas, and in comments where they were, so that lines stay
    // under 70 characters where they can; line ends are \n, no line end behind the last line. Without a header: on one
    // line.
    std::string text(std::string_view header = {}) const;

private:
    enum class Kind : std::uint8_t { word, comment, address, angle, close, comma, colon, group_colon, semicolon };
    struct Item {
        Kind kind;
        std::string text;      // address, angle: external form, comments apart
        std::string comments;  // angle: those between < and >
    };
    void replace(std::vector<std::pair<std::size_t, std::vector<Item>>>& grown);
    std::vector<Item> items_;
    bool cut_ = false;
    friend class ListParser;
};
}
