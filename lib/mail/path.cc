// The paths of MAIL FROM and RCPT TO, read as generously as Postfix reads them: "Phrase <a@b> (comment)", "g: a@b;", a
// missing '<' and the like are forgiven where one address comes out.
//
// A path is an address list that may hold one address. Right to left is the direction in which it can be read without
// looking ahead:
// ';' says that a group ends here and its ':' is one, '>' that what precedes '<' is a phrase.
#include <algorithm>
#include "base/bytes.h"
#include "mail/address.h"
#include "mail/address_tokens.h"

namespace mail {
namespace {
using Kind = AddressToken::Kind;

std::string dequoted(const AddressToken& token) {
    if (token.kind == Kind::literal)
        return "[" + token.text + "]";
    if (token.kind == Kind::special)
        return token.text;
    std::string out;
    for (std::size_t i = 0; i < token.text.size(); ++i) {
        if (token.text[i] == '\\' && ++i == token.text.size())
            break;
        out += token.text[i];
    }
    return out;
}

// The addresses of a token list, last one first.
class Backwards {
public:
    explicit Backwards(const std::vector<AddressToken>& tokens) : tokens_(tokens), left_(tokens.size()) {}

    // False where the syntax is broken.
    bool read() {
        bool group = false;
        while (left_ > 0) {
            const AddressToken& token = tokens_[left_ - 1];
            if (token.kind == Kind::comment)
                plain_ = false, --left_;
            else if (token.is(';'))
                plain_ = false, group = true, --left_;
            else if (token.is(','))
                plain_ = false, --left_;
            else if (token.is(':') && group)
                group = false, --left_, phrase();
            else if (token.is('>')) {
                --left_;
                if (!angle(group))
                    return false;
            } else
                address(group, false);
        }
        return true;
    }
    const std::vector<std::string>& addresses() const { return addresses_; }
    bool plain() const { return plain_; }  // nothing but addresses was there

private:
    bool word() const { return left_ > 0 && tokens_[left_ - 1].kind != Kind::special; }

    void phrase() {
        while (word())
            plain_ = false, --left_;
    }
    bool angle(bool group) {
        std::size_t before = addresses_.size();
        if (left_ > 0 && !tokens_[left_ - 1].is('<'))
            address(false, true);
        if (addresses_.size() == before)
            addresses_.emplace_back();
        if (left_ > 0 && !tokens_[left_ - 1].is('<'))
            return false;
        if (left_ > 0)
            --left_;
        phrase();
        if (!group && left_ > 0 && tokens_[left_ - 1].is(':'))
            plain_ = false, --left_;  // the end of nothing
        return true;
    }
    // Words with '.', '@' or another special between them; two words in a row are two addresses.
    void address(bool group, bool inside) {
        std::vector<std::string> parts;
        bool word_follows = false;
        while (left_ > 0) {
            const AddressToken& token = tokens_[left_ - 1];
            if (token.kind == Kind::comment) {
                plain_ = false, --left_;
                continue;
            }
            const bool is_word = token.kind != Kind::special;
            if (is_word && word_follows)
                break;
            if (token.is(';') || token.is(',') || token.is('>') || (token.is(':') && group) ||
                (token.is('<') && inside))
                break;
            parts.push_back(dequoted(token));
            word_follows = is_word;
            --left_;
        }
        std::string out;
        for (std::size_t i = parts.size(); i > 0; --i)
            out += parts[i - 1];
        addresses_.push_back(std::move(out));
    }

    const std::vector<AddressToken>& tokens_;
    std::size_t left_;
    std::vector<std::string> addresses_;
    bool plain_ = true;
};
}

std::size_t word_end(std::string_view text, bool& open) {
    bool quoted = false;
    int angle = 0;
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\')
            ++i;
        else if (c == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (c == '<')
            ++angle;
        else if (c == '>' && angle > 0)
            --angle;
        else if (bytes::is_space(c) && angle == 0)
            break;
    }
    open = quoted || angle > 0;
    return std::min(i, text.size());
}

bool balanced(std::string_view word) {
    bool open;
    (void)word_end(word, open);
    return !open;
}

std::optional<std::string> path_address(std::string_view word, bool strict) {
    const bool enclosed = word.size() > 1 && word.front() == '<' && word.back() == '>';
    if (strict && !enclosed)
        return {};
    if (enclosed)
        word = word.substr(1, word.size() - 2);
    if (word.starts_with('@'))  // @a,@b:user@host
        if (const std::size_t colon = word.find(':'); colon != word.npos)
            word.remove_prefix(colon + 1);
    std::size_t backslashes = 0;
    while (backslashes < word.size() && word[word.size() - 1 - backslashes] == '\\')
        ++backslashes;
    if (backslashes % 2)
        word.remove_suffix(1);  // one that escapes nothing
    const std::vector<AddressToken> tokens = address_tokens(word);
    Backwards list(tokens);
    if (!list.read() || list.addresses().size() > 1)
        return {};
    std::string address = list.addresses().empty() ? std::string() : list.addresses().front();
    if (strict && (!list.plain() || address.starts_with('@')))
        return {};
    return address;
}

std::optional<Path> parse_path(std::string_view text, bool strict) {
    if (!strict)
        while (!text.empty() && bytes::is_space(text.front()))
            text.remove_prefix(1);
    bool open;
    const std::size_t end = word_end(text, open);
    if (open || end == 0)
        return {};
    auto address = path_address(text.substr(0, end), strict);
    if (!address)
        return {};
    text.remove_prefix(end);
    while (!text.empty() && bytes::is_space(text.front()))
        text.remove_prefix(1);
    return Path{std::move(*address), text};
}
}
