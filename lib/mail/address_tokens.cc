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

bool atom_end(char c) {
    return bytes::is_space(c) || c == '"' || c == '(' || c == '[' || c == '\\' ||
           specials.find(c) != std::string_view::npos;
}

// Text between delimiters, from behind the opening one; nested: an `open` within needs a `close` of its own. text is
// left behind the closing one. Where the text ends before, what comes out is as if all had been closed.
std::string delimited(std::string_view& text, char open, char close, bool nested) {
    std::string out;
    std::size_t depth = 1;
    while (!text.empty()) {
        const char c = text.front();
        text.remove_prefix(1);
        if (c == '\\') {
            (out += c) += text.empty() ? c : unfolded(text.front());
            text.remove_prefix(std::min<std::size_t>(text.size(), 1));
            continue;
        }
        if (c == close && --depth == 0)
            return out;
        if (nested && c == open)
            ++depth;
        out += nested && c == '\t' ? c : unfolded(c);
    }
    return out.append(depth - 1, close);
}
}

std::vector<Token> address_tokens(std::string_view text, std::size_t limit) {
    std::vector<Token> tokens;
    while (!text.empty() && tokens.size() < limit) {
        const char c = text.front();
        if (bytes::is_space(c) || c == '\0') {
            text.remove_prefix(1);
        } else if (c == '"') {
            text.remove_prefix(1);
            tokens.push_back({Kind::quoted, delimited(text, '"', '"', false)});
        } else if (c == '(') {
            text.remove_prefix(1);
            tokens.push_back({Kind::comment, delimited(text, '(', ')', true)});
        } else if (c == '[') {
            text.remove_prefix(1);
            tokens.push_back({Kind::literal, delimited(text, '[', ']', false)});
        } else if (specials.find(c) != std::string_view::npos) {
            tokens.push_back({Kind::special, std::string(1, c)});
            text.remove_prefix(1);
        } else {
            std::string atom;
            while (!text.empty()) {
                if (text.front() == '\\') {  // a backslash keeps the next character, whatever it is
                    atom += '\\';
                    text.remove_prefix(1);
                    if (!text.empty()) {
                        atom += unfolded(text.front());
                        text.remove_prefix(1);
                    } else {
                        atom.pop_back();  // one that escapes nothing
                    }
                } else if (atom_end(text.front()) || text.front() == '\0') {
                    break;
                } else {
                    atom += text.front();
                    text.remove_prefix(1);
                }
            }
            if (!atom.empty())
                tokens.push_back({Kind::atom, std::move(atom)});
        }
    }
    return tokens;
}

std::string tokens_text(const std::vector<Token>& tokens) {
    std::string out;
    const Token* before = nullptr;
    for (const Token& token : tokens) {
        const bool word = token.kind != Kind::special;
        if (before && (((word || token.is('<')) && before->kind != Kind::special) || before->is(',')))
            out += ' ';
        switch (token.kind) {
        case Kind::quoted: ((out += '"') += token.text) += '"'; break;
        case Kind::comment: ((out += '(') += token.text) += ')'; break;
        case Kind::literal: ((out += '[') += token.text) += ']'; break;
        default: out += token.text;
        }
        before = &token;
    }
    return out;
}

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
                separator(AddressList::Kind::colon);
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
    void add(AddressList::Kind kind, std::string text) { list_.items_.push_back({kind, std::move(text)}); }
    void comment(const Token& token) { add(AddressList::Kind::comment, "(" + token.text + ")"); }
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
                add(AddressList::Kind::word, tokens_text(run));
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
        if (open == 0)
            return;  // '>' alone: it is dropped
        part();
        for (std::size_t i = left_; i > open; --i)
            if (tokens_[i - 1].kind == Kind::comment)
                comment(tokens_[i - 1]);
        add(AddressList::Kind::angle, joined(open, left_));
        left_ = open - 1;
        phrase(",;:>");
        parted_ = false;
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
            if (token.kind == Kind::quoted)
                ((out += '"') += token.text) += '"';
            else if (token.kind == Kind::literal)
                ((out += '[') += token.text) += ']';
            else if (token.kind != Kind::comment)
                out += token.text;
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

bool AddressList::rewrite(const std::function<std::optional<std::string>(const std::string&)>& with) {
    bool changed = false;
    std::vector<Item> items;
    items.reserve(items_.size());
    for (Item& item : items_) {
        if (item.kind != Kind::address && item.kind != Kind::angle) {
            items.push_back(std::move(item));
            continue;
        }
        auto replacement = with(item.text);
        if (!replacement || *replacement == item.text) {
            items.push_back(std::move(item));
            continue;
        }
        changed = true;
        const std::vector<std::string> parts = parse(*replacement).addresses();
        if (parts.size() < 2) {
            items.push_back({item.kind, parts.empty() ? "" : parts[0]});
            continue;
        }
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (i)
                items.push_back({Kind::comma, ","});
            items.push_back({item.kind, parts[i]});
        }
    }
    items_ = std::move(items);
    return changed;
}

std::string AddressList::text(std::string_view header) const {
    std::string out(header);
    std::string piece;  // what stands between two places where a line may end
    std::size_t line_start = 0;
    bool first = true;
    const auto flush = [&] {
        if (piece.empty())
            return;
        if (first) {
            if (!header.empty())
                out += ' ';
        } else if (!header.empty() &&
                   out.size() - line_start + 1 + std::min(piece.find('\n'), piece.size()) > line_length) {
            out += "\n\t";
            line_start = out.size() - 1;
        } else {
            out += ' ';
        }
        first = false;
        if (const std::size_t newline = piece.rfind('\n'); newline != std::string::npos)
            line_start = out.size() + newline + 1;
        out += piece;
        piece.clear();
    };
    const Item* before = nullptr;
    for (const Item& item : items_) {
        const bool separator = item.kind == Kind::comma || item.kind == Kind::semicolon || item.kind == Kind::colon;
        const bool tight = before && before->kind == Kind::angle && item.kind == Kind::comment;
        const bool semicolon_after_colon = before && before->kind == Kind::colon && item.kind == Kind::semicolon;
        if (!piece.empty() && ((!separator && !tight) || semicolon_after_colon))
            piece += ' ';
        if (item.kind == Kind::angle)
            ((piece += '<') += item.text) += '>';
        else
            piece += item.text;
        if (item.kind == Kind::comma)
            flush();
        before = &item;
    }
    flush();
    return out;
}
}
