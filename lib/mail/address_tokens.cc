#include "mail/address_tokens.h"
#include <algorithm>
#include "base/bytes.h"
#include "loop/loop.h"
#include "mail/address.h"

namespace mail {
namespace {
using Token = AddressToken;
using Kind = AddressToken::Kind;

constexpr std::string_view specials = "<>@,;:.)]";
constexpr std::string_view operators = "%!|";  // parts of atoms
constexpr std::size_t line_length = 69;        // where Postfix folds a list, commas included

// White space where it is kept is one blank: an address stands on one line, however it was folded.
char unfolded(char c) { return c == '\t' || c == '\r' || c == '\n' || c == '\0' ? ' ' : c; }
// Comments keep tabs, and the ends of their lines, where a header may be folded again.
char kept_in_comment(char c) { return c == '\r' || c == '\0' ? ' ' : c; }

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0'; }

bool atom_end(char c) {
    return blank(c) || c == '"' || c == '(' || c == '[' || c == '\\' || specials.find(c) != std::string_view::npos;
}

// Text between delimiters, from behind the opening one; in a comment an `open` within needs a `close` of its own. text
// is left behind the closing one. `missing`: how many had to follow where the text ends before.
std::string delimited(std::string_view& text, char open, char close, std::size_t& missing) {
    std::string out;
    const bool comment = open == '(';
    const auto kept = comment ? kept_in_comment : unfolded;
    std::size_t& depth = missing = 1;
    while (!text.empty()) {
        const char c = text.front();
        text.remove_prefix(1);
        if (c == '\\') {
            if (!text.empty())
                (out += c) += kept(text.front());
            else if (comment)
                out += c;
            text.remove_prefix(std::min<std::size_t>(text.size(), 1));
            continue;
        }
        if (c == close && --depth == 0)
            return out;
        if (comment && c == open)
            ++depth;
        out += kept(c);
    }
    return out;
}

std::string atom(std::string_view& text) {
    std::string out;
    while (!text.empty()) {
        if (text.front() == '\\') {  // a backslash keeps the next character, whatever it is
            text.remove_prefix(1);
            if (text.empty())
                return out.empty() ? "\\" : out;  // one that escapes nothing
            (out += '\\') += unfolded(text.front());
        } else if (atom_end(text.front())) {
            break;
        } else {
            out += text.front();
        }
        text.remove_prefix(1);
    }
    return out;
}
}

std::vector<Token> address_tokens(std::string_view text, std::size_t limit) {
    std::vector<Token> tokens;
    const auto enclosed = [&](Kind kind, char open, char close) {
        text.remove_prefix(1);
        Token token{kind, {}};
        token.text = delimited(text, open, close, token.missing);
        tokens.push_back(std::move(token));
    };
    while (!text.empty() && tokens.size() < limit) {
        const char c = text.front();
        if (blank(c)) {
            text.remove_prefix(1);
        } else if (c == '"') {
            enclosed(Kind::quoted, '"', '"');
        } else if (c == '(') {
            enclosed(Kind::comment, '(', ')');
        } else if (c == '[') {
            enclosed(Kind::literal, '[', ']');
        } else if (specials.find(c) != std::string_view::npos) {
            tokens.push_back({Kind::special, std::string(1, c)});
            text.remove_prefix(1);
        } else {
            tokens.push_back({Kind::atom, atom(text)});
        }
    }
    return tokens;
}

namespace {
// A comment as it was: what its writer left open stays open.
std::string comment_text(const Token& token) { return "(" + token.text + (token.missing ? "" : ")"); }

std::string closed_comment(const Token& token) {
    std::string out = "(" + token.text;
    const std::size_t kept = token.text.find_last_not_of('\\') + 1;
    if (token.missing && (token.text.size() - kept) % 2 == 1)
        out += '\\';
    out.append(std::max<std::size_t>(token.missing, 1), ')');
    std::replace(out.begin(), out.end(), '\n', ' ');
    return out;
}

std::string token_text(const Token& token) {
    switch (token.kind) {
    case Kind::quoted: return '"' + token.text + '"';
    case Kind::comment: return closed_comment(token);
    case Kind::literal: return '[' + token.text + ']';
    default: return token.text;
    }
}

// Takes backslashes away, but those before `kept`.
std::string without_backslashes(std::string_view text, std::string_view kept = {}) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size() && kept.find(text[++i]) != std::string_view::npos)
            out += '\\';
        out += text[i];
    }
    return out;
}

bool needs_quotes(char c) {
    return (static_cast<unsigned char>(c) < ' ') || c == 127 ||
           std::string_view(" ()<>@,;:\\\".[]%!|").find(c) != std::string_view::npos;
}

// An atom without backslashes: in quotes where it needs them, but for the operators that nobody escaped.
std::string atom_text(std::string_view text) {
    if (std::none_of(text.begin(), text.end(),
                     [](char c) { return c == '\\' || c == 127 || static_cast<unsigned char>(c) < ' '; }))
        return std::string(text);
    std::string out, word;
    bool quotes = text == "\\";
    const auto finish = [&] {
        out += quotes ? quoted_string(word) : word;
        word.clear();
        quotes = false;
    };
    for (std::size_t i = 0; i < text.size() && text != "\\"; ++i) {
        const bool escaped = text[i] == '\\';
        const char c = text[i += escaped];
        if (!escaped && operators.find(c) != std::string_view::npos) {
            finish();
            out += c;
        } else {
            quotes |= needs_quotes(c);
            word += c;
        }
    }
    finish();
    return out;
}

// A token as a list is written: backslashes only where they are needed.
std::string plain_text(const Token& token) {
    switch (token.kind) {
    case Kind::atom: return atom_text(token.text);
    case Kind::quoted: return quoted_string(without_backslashes(token.text));
    case Kind::comment: return comment_text(token);
    case Kind::literal: return '[' + without_backslashes(token.text, "[]\\") + ']';
    default: return token.text;
    }
}

std::string spaced(const std::vector<Token>& tokens, std::string (*text_of)(const Token&)) {
    std::string out;
    const Token* before = nullptr;
    for (const Token& token : tokens) {
        const bool word = token.kind != Kind::special;
        if (before && ((word && before->kind != Kind::special) || token.is('<') || before->is(',')))
            out += ' ';
        out += text_of(token);
        before = &token;
    }
    return out;
}
}

std::string tokens_text(const std::vector<Token>& tokens) { return spaced(tokens, token_text); }

// Groups tokens into items, from the last one to the first: only so it is known without looking ahead what a ':' or a
// word is. ';' says that the ':' before it ends the name of a group, '>' that what stands before '<' is a phrase;
// without them both belong to addresses. Postfix reads lists the same way.
class ListParser {
public:
    explicit ListParser(std::vector<Token> tokens) : tokens_(std::move(tokens)), left_(tokens_.size()) {}

    AddressList parse() {
        bool group = false;
        while (left_ > 0) {
            const Token& token = tokens_[left_ - 1];
            if (token.kind == Kind::comment) {
                comment(token);
                --left_;
            } else if (token.is(',')) {
                separator(AddressList::Kind::comma);
            } else if (token.is(';')) {
                group = true;
                part();
                separator(AddressList::Kind::semicolon);
            } else if (token.is(':') && group) {
                separator(AddressList::Kind::group_colon);
                phrase(",");
                parted_ = false;
            } else if (token.is('>')) {
                angle(group);
            } else {
                bare(group);
            }
        }
        std::reverse(list_.items_.begin(), list_.items_.end());
        return std::move(list_);
    }

private:
    void add(AddressList::Kind kind, std::string text) { list_.items_.push_back({kind, std::move(text), {}}); }
    void comment(const Token& token) { add(AddressList::Kind::comment, comment_text(token)); }
    void separator(AddressList::Kind kind) {
        add(kind, tokens_[--left_].text);
        parted_ = true;
    }
    // What is added next stands on the left of something that it is no part of.
    void part() {
        if (!parted_)
            add(AddressList::Kind::comma, ",");
        parted_ = true;
    }

    // Words and comments up to one of these specials.
    void phrase(std::string_view end) {
        std::vector<Token> run;
        const auto finish = [&] {
            std::reverse(run.begin(), run.end());
            if (!run.empty())
                add(AddressList::Kind::word, spaced(run, plain_text));
            run.clear();
        };
        for (; left_ > 0; --left_) {
            const Token& token = tokens_[left_ - 1];
            if (token.kind == Kind::special && end.find(token.text[0]) != std::string_view::npos)
                break;
            if (token.kind == Kind::comment) {
                finish();
                comment(token);
            } else {
                run.push_back(token);
            }
        }
        finish();
    }

    void angle(bool group) {
        --left_;
        std::size_t open = no_more_angles_ ? 0 : left_;
        while (open > 0 && !tokens_[open - 1].is('<'))
            --open;
        no_more_angles_ = open == 0;
        part();
        if (open == 0)
            return add(AddressList::Kind::close, ">");  // it closes nothing
        std::string comments;
        for (std::size_t i = open; i < left_; ++i)
            if (tokens_[i].kind == Kind::comment)
                (comments += comments.empty() ? "" : " ") += comment_text(tokens_[i]);
        list_.items_.push_back({AddressList::Kind::angle, joined(open, left_), std::move(comments)});
        left_ = open - 1;
        phrase(",;:>");
        parted_ = true;  // no comma between <a> and <b>
        if (!group && left_ > 0 && tokens_[left_ - 1].is(':'))
            separator(AddressList::Kind::colon);  // the end of nothing
    }

    // An address without <>: two words in a row are two addresses, unless '%', '!' or '|' joins them. Comments within
    // go behind it.
    void bare(bool group) {
        part();
        const std::size_t end = left_;
        const Token* behind = nullptr;
        for (; left_ > 0; --left_) {
            const Token& token = tokens_[left_ - 1];
            if (token.kind == Kind::comment) {
                comment(token);
                continue;
            }
            if (token.is(',') || token.is(';') || token.is('>') || (token.is(':') && group))
                break;
            if (behind && !begins_with_operator(*behind) && !ends_with_operator(token))
                break;
            behind = &token;
        }
        add(AddressList::Kind::address, joined(left_, end));
        parted_ = false;
    }

    static bool begins_with_operator(const Token& token) {
        return token.kind == Kind::special ||
               (token.kind == Kind::atom && operators.find(token.text.front()) != std::string_view::npos);
    }
    static bool ends_with_operator(const Token& token) {
        if (token.kind != Kind::atom)
            return token.kind == Kind::special;
        const bool escaped = token.text.size() > 1 && token.text[token.text.size() - 2] == '\\';
        return !escaped && operators.find(token.text.back()) != std::string_view::npos;
    }

    std::string joined(std::size_t from, std::size_t to) const {
        std::string out;
        for (; from < to; ++from) {
            const Token& token = tokens_[from];
            if (token.kind != Kind::comment)
                out += plain_text(token);
        }
        return out;
    }

    std::vector<Token> tokens_;
    std::size_t left_;             // tokens that were not read yet
    bool parted_ = true;           // from what was read last
    bool no_more_angles_ = false;  // no '<' is left: not to be looked for again and again
    AddressList list_;
};

AddressList AddressList::parse(std::string_view text, std::size_t token_limit) {
    std::vector<Token> tokens = address_tokens(text, token_limit == SIZE_MAX ? SIZE_MAX : token_limit + 1);
    const bool cut = tokens.size() > token_limit;
    if (cut)
        tokens.pop_back();
    AddressList list = ListParser(std::move(tokens)).parse();
    list.cut_ = cut;
    return list;
}

AddressList AddressList::parse_long(std::string_view text, std::size_t token_limit) {
    constexpr std::size_t moment = 16 * 1024;  // some 2 ms at worst
    if (text.size() <= moment)
        return parse(text, token_limit);
    AddressList list;
    loop::offload([&] { list = parse(text, token_limit); });
    return list;
}

std::vector<std::string> AddressList::addresses() const {
    std::vector<std::string> out;
    for (const Item& item : items_)
        if (item.kind == Kind::address || item.kind == Kind::angle)
            out.push_back(item.text);
    return out;
}

// A list has as many items as a stranger likes, of which few are addresses: they stay where they are as long as that
// can be.
bool AddressList::rewrite(const std::function<std::optional<std::string>(const std::string&)>& with) {
    bool changed = false;
    std::vector<std::pair<std::size_t, std::vector<Item>>> grown;  // what takes the place of one item
    for (std::size_t at = 0; at < items_.size(); ++at) {
        Item& item = items_[at];
        if (item.kind != Kind::address && item.kind != Kind::angle)
            continue;
        auto replacement = with(item.text);
        if (!replacement || *replacement == item.text)
            continue;
        changed = true;
        AddressList list = parse(*replacement);
        const std::vector<std::string> parts = list.addresses();
        if (parts.size() < 2 && list.items_.size() < 2) {
            item.text = parts.empty() ? "" : parts[0];
            continue;
        }
        if (item.kind == Kind::address) {  // no word of it gets lost
            grown.emplace_back(at, std::move(list.items_));
            continue;
        }
        std::vector<Item> several;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (i)
                several.push_back({Kind::comma, ",", {}});
            several.push_back({item.kind, parts[i], i ? std::string() : std::move(item.comments)});
        }
        grown.emplace_back(at, std::move(several));
    }
    if (!grown.empty())
        replace(grown);
    return changed;
}

void AddressList::replace(std::vector<std::pair<std::size_t, std::vector<Item>>>& grown) {
    std::vector<Item> items;
    items.reserve(items_.size() + grown.size());
    std::size_t at = 0;
    for (auto& [where, several] : grown) {
        std::move(items_.begin() + std::ptrdiff_t(at), items_.begin() + std::ptrdiff_t(where),
                  std::back_inserter(items));
        std::move(several.begin(), several.end(), std::back_inserter(items));
        at = where + 1;
    }
    std::move(items_.begin() + std::ptrdiff_t(at), items_.end(), std::back_inserter(items));
    items_ = std::move(items);
}

namespace {
// Lines that fit are joined by a blank. A line of nothing but white space is none: some readers take it for the end of
// the header.
std::string folded(std::string_view text) {
    std::string out;
    std::size_t width = 0;  // of the last line, without the tab put before it
    for (bool first = true;; first = false) {
        const auto [line, rest] = bytes::cut(text, '\n');
        if (first || width + 1 + line.size() <= line_length) {
            if (!first)
                out += ' ';
            width += line.size() + !first;
            out += line;
        } else if (line.find_first_not_of(" \t") != line.npos) {
            out += blank(line.front()) ? "\n" : "\n\t";
            out += line;
            width = line.size();
        }
        if (!rest)
            return out;
        text = *rest;
    }
}
}

std::string AddressList::text(std::string_view header) const {
    std::string out(header);
    if (!header.empty() && !items_.empty())
        out += ' ';
    bool line_begins = true;
    const Item* before = nullptr;
    for (const Item& item : items_) {
        bool apart = false;  // from what is before it
        switch (item.kind) {
        case Kind::address:
        case Kind::angle: apart = true; break;
        case Kind::word:
        case Kind::comment:
            apart = before && before->kind != Kind::angle && before->kind != Kind::close &&
                    before->kind != Kind::colon && before->kind != Kind::semicolon;
            break;
        case Kind::comma:
        case Kind::semicolon: apart = before && before->kind == Kind::group_colon; break;
        default: break;
        }
        if (apart && !line_begins)
            out += ' ';
        if (item.kind == Kind::angle) {
            (out += '<') += item.text;
            if (!item.text.empty() && !item.comments.empty())
                out += ' ';
            (out += item.comments) += '>';
        } else {
            out += item.text;
        }
        line_begins = item.kind == Kind::comma;
        if (line_begins)
            out += '\n';
        before = &item;
    }
    if (!header.empty())
        return folded(out);
    if (out.ends_with('\n'))
        out.pop_back();
    std::replace(out.begin(), out.end(), '\n', ' ');
    return out;
}
}
