#include "mail/address_tokens.h"
#include <algorithm>
#include "base/bytes.h"
#include "mail/address.h"

namespace mail {
namespace {
using Token = AddressToken;
using Kind = AddressToken::Kind;

constexpr std::string_view specials = "<>@,;:.)]";
constexpr std::size_t line_length = 69;                      // where Postfix folds a list, commas included

bool atom_end(char c) { return bytes::is_space(c) || c == '"' || c == '(' || c == '[' || c == '\\' || specials.find(c) != std::string_view::npos; }

// Text between delimiters, from behind the opening one; nested: an `open` within needs a `close` of its own. text is left behind the
// closing one. Where the text ends before, what comes out is as if all had been closed.
std::string delimited(std::string_view& text, char open, char close, bool nested) {
    std::string out;
    std::size_t depth = 1;
    while (!text.empty()) {
        const char c = text.front();
        text.remove_prefix(1);
        if (c == '\\') {
            (out += c) += text.empty() ? c : text.front();
            text.remove_prefix(std::min<std::size_t>(text.size(), 1));
            continue;
        }
        if (c == close && --depth == 0) return out;
        if (nested && c == open) ++depth;
        out += c;
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
                if (text.front() == '\\') {                  // a backslash keeps the next character, whatever it is
                    atom += '\\';
                    text.remove_prefix(1);
                    if (!text.empty()) {
                        atom += text.front();
                        text.remove_prefix(1);
                    } else {
                        atom += '\\';
                    }
                } else if (atom_end(text.front()) || text.front() == '\0') {
                    break;
                } else {
                    atom += text.front();
                    text.remove_prefix(1);
                }
            }
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
        if (before && ((word && before->kind != Kind::special) || before->is(','))) out += ' ';
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

// Groups tokens into items, one segment (up to a comma or semicolon outside <>) at a time.
class ListParser {
public:
    explicit ListParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    AddressList parse() {
        while (at_ < tokens_.size()) {
            const Token& token = tokens_[at_];
            if (token.is(',')) {
                ++at_;
                if (!list_.items_.empty() && list_.items_.back().kind != AddressList::Kind::comma) add(AddressList::Kind::comma, ",");
            } else if (token.is(';')) {
                ++at_;
                add(AddressList::Kind::semicolon, ";");
            } else {
                segment();
            }
        }
        while (!list_.items_.empty() && list_.items_.back().kind == AddressList::Kind::comma) list_.items_.pop_back();
        return std::move(list_);
    }

private:
    void add(AddressList::Kind kind, std::string text) { list_.items_.push_back({kind, std::move(text)}); }

    void segment() {
        const std::size_t end = find_end();
        if (at_ == end && !tokens_[at_].is('<')) {
            ++at_;                                           // a token that fits nowhere, such as '>': dropped, but it parts what stands around it
            auto last = std::find_if(list_.items_.rbegin(), list_.items_.rend(), [](const auto& item) { return item.kind != AddressList::Kind::comment; });
            if (last != list_.items_.rend() && last->kind == AddressList::Kind::address) add(AddressList::Kind::comma, ",");
            return;
        }
        if (end < tokens_.size() && tokens_[end].is(':')) {
            phrase(at_, end);
            add(AddressList::Kind::colon, ":");
            at_ = end + 1;
        } else if (end < tokens_.size() && tokens_[end].is('<')) {
            phrase(at_, end);
            at_ = end;
            angle();
        } else {
            bare(at_, end);
            at_ = end;
        }
    }

    // The end of what begins here: a separator, '<', or the ':' of a group.
    std::size_t find_end() const {
        if (tokens_[at_].is('<')) return at_;
        const bool route = tokens_[at_].is('@');
        for (std::size_t i = at_; i < tokens_.size(); ++i) {
            const Token& token = tokens_[i];
            if (token.is('<') || token.is(';') || token.is('>')) return i;
            if (!route && (token.is(',') || token.is(':'))) return i;
            if (route && token.is(':')) return end_of_route(i);
        }
        return tokens_.size();
    }
    std::size_t end_of_route(std::size_t colon) const {
        for (std::size_t i = colon; i < tokens_.size(); ++i)
            if (tokens_[i].is(',') || tokens_[i].is(';') || tokens_[i].is('<')) return i;
        return tokens_.size();
    }

    void phrase(std::size_t from, std::size_t to) {
        std::vector<Token> run;
        for (; from < to; ++from) {
            if (tokens_[from].kind == Kind::comment) {
                if (!run.empty()) add(AddressList::Kind::word, tokens_text(run));
                run.clear();
                add(AddressList::Kind::comment, "(" + tokens_[from].text + ")");
            } else {
                run.push_back(tokens_[from]);
            }
        }
        if (!run.empty()) add(AddressList::Kind::word, tokens_text(run));
    }

    void angle() {
        std::vector<Token> inside;
        std::vector<std::string> comments;
        for (++at_; at_ < tokens_.size() && !tokens_[at_].is('>'); ++at_) {
            if (tokens_[at_].kind == Kind::comment) comments.push_back(tokens_[at_].text);
            else if (!tokens_[at_].is('<')) inside.push_back(tokens_[at_]);
        }
        if (at_ < tokens_.size()) ++at_;
        add(AddressList::Kind::angle, joined(inside));
        for (const std::string& comment : comments) add(AddressList::Kind::comment, "(" + comment + ")");
        std::size_t end = at_;                               // (post)
        while (end < tokens_.size() && tokens_[end].kind == Kind::comment) ++end;
        phrase(at_, end);
        at_ = end;
        if (at_ < tokens_.size() && !tokens_[at_].is(',') && !tokens_[at_].is(';')) add(AddressList::Kind::comma, ",");
    }

    // Addresses without <>: words without '.' or '@' between them are addresses of their own.
    void bare(std::size_t from, std::size_t to) {
        std::vector<Token> address;
        std::vector<std::string> comments;
        const auto finish = [&](bool more) {
            if (!address.empty()) add(AddressList::Kind::address, joined(address));
            address.clear();
            for (const std::string& comment : comments) add(AddressList::Kind::comment, "(" + comment + ")");
            comments.clear();
            if (more) add(AddressList::Kind::comma, ",");
        };
        for (std::size_t i = from; i < to; ++i) {
            const Token& token = tokens_[i];
            if (token.kind == Kind::comment) {
                comments.push_back(token.text);
                continue;
            }
            const bool joins = address.empty() || token.kind == Kind::special || address.back().kind == Kind::special;
            if (!joins) finish(true);
            address.push_back(token);
        }
        finish(false);
    }

    static std::string joined(const std::vector<Token>& tokens) {
        std::string out;
        for (const Token& token : tokens) {
            if (token.kind == Kind::quoted) ((out += '"') += token.text) += '"';
            else if (token.kind == Kind::literal) ((out += '[') += token.text) += ']';
            else out += token.text;
        }
        return out;
    }

    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    AddressList list_;
};

AddressList AddressList::parse(std::string_view text, std::size_t token_limit) { return ListParser(address_tokens(text, token_limit)).parse(); }

std::vector<std::string> AddressList::addresses() const {
    std::vector<std::string> out;
    for (const Item& item : items_)
        if (item.kind == Kind::address || item.kind == Kind::angle) out.push_back(item.text);
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
            if (i) items.push_back({Kind::comma, ","});
            items.push_back({item.kind, parts[i]});
        }
    }
    items_ = std::move(items);
    return changed;
}

std::string AddressList::text(std::string_view header) const {
    std::string out(header);
    std::string piece;                                       // what stands between two places where a line may end
    std::size_t line_start = 0;
    bool first = true;
    const auto flush = [&] {
        if (piece.empty()) return;
        if (first) {
            if (!header.empty()) out += ' ';
        } else if (!header.empty() && out.size() - line_start + 1 + std::min(piece.find('\n'), piece.size()) > line_length) {
            out += "\n\t";
            line_start = out.size() - 1;
        } else {
            out += ' ';
        }
        first = false;
        if (const std::size_t newline = piece.rfind('\n'); newline != std::string::npos) line_start = out.size() + newline + 1;
        out += piece;
        piece.clear();
    };
    const Item* before = nullptr;
    for (const Item& item : items_) {
        const bool separator = item.kind == Kind::comma || item.kind == Kind::semicolon || item.kind == Kind::colon;
        const bool tight = before && before->kind == Kind::angle && item.kind == Kind::comment;
        const bool semicolon_after_colon = before && before->kind == Kind::colon && item.kind == Kind::semicolon;
        if (!piece.empty() && ((!separator && !tight) || semicolon_after_colon)) piece += ' ';
        if (item.kind == Kind::angle) ((piece += '<') += item.text) += '>';
        else piece += item.text;
        if (item.kind == Kind::comma) flush();
        before = &item;
    }
    flush();
    return out;
}
}
