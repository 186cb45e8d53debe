// See destinations.h.
#include "destinations.h"

#include "base/bytes.h"
#include "mail/address_tokens.h"

namespace local {
namespace {
constexpr std::string_view include = ":include:";

// Takes the text up to the next comma that stands outside quotes, comments and <> off the front.
std::string_view take_item(std::string_view& text) {
    int comment = 0;
    bool quoted = false, angle = false;
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\') { ++i; continue; }
        if (comment == 0 && c == '"') quoted = !quoted;
        if (quoted) continue;
        if (c == '(') ++comment;
        else if (c == ')' && comment > 0) --comment;
        if (comment > 0) continue;
        if (c == '<') angle = true;
        else if (c == '>') angle = false;
        else if (c == ',' && !angle) break;
    }
    i = std::min(i, text.size());
    std::string_view item = text.substr(0, i);
    text.remove_prefix(std::min(i + 1, text.size()));
    return bytes::trim(item);
}

// A command or file name in unquoted text ends only at a comma: commas and parentheses are ordinary in shells, but that is how
// lists have always been read.
std::string_view take_plain(std::string_view& text) {
    std::size_t end = 0;
    bool quoted = false;
    for (; end < text.size() && (quoted || text[end] != ','); ++end) {
        if (text[end] == '\\') ++end;
        else if (text[end] == '"') quoted = !quoted;
    }
    end = std::min(end, text.size());
    std::string_view item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return bytes::trim(item);
}

// "…" without its quotes, where the whole item is one quoted string.
bool unquote(std::string_view item, std::string& out) {
    if (item.size() < 2 || item.front() != '"' || item.back() != '"') return false;
    for (std::size_t i = 1; i + 1 < item.size(); ++i) {
        if (item[i] == '"') return false;
        if (item[i] == '\\' && i + 2 < item.size()) ++i;
        out += item[i];
    }
    return true;
}

bool is_plain(std::string_view item) { return item.starts_with('|') || item.starts_with('/') || bytes::istarts_with(item, include); }

void add_plain(std::string_view item, std::vector<Destination>& out) {
    using Kind = Destination::Kind;
    if (item.starts_with('|')) out.push_back({Kind::command, std::string(item.substr(1))});
    else if (item.starts_with('/')) out.push_back({Kind::file, std::string(item)});
    else out.push_back({Kind::include, std::string(bytes::trim(item.substr(include.size())))});
}

void add_addresses(std::string_view item, std::vector<Destination>& out) {
    bool to_mailbox = item.starts_with('\\');
    if (to_mailbox) item.remove_prefix(1);
    for (std::string& address : mail::AddressList::parse(item).addresses())
        if (!address.empty()) out.push_back({Destination::Kind::address, std::move(address), to_mailbox});
}
}

std::vector<Destination> parse_destinations(std::string_view text) {
    std::vector<Destination> out;
    for (text = bytes::trim(text); !text.empty(); text = bytes::trim(text)) {
        if (is_plain(text)) { add_plain(take_plain(text), out); continue; }
        std::string_view item = take_item(text);
        std::string inner;
        if (!unquote(item, inner)) add_addresses(item, out);
        else if (is_plain(inner)) add_plain(inner, out);
        else if (inner.starts_with('\\')) add_addresses(inner, out);
        else if (item.size() > 3 && item[1] == '\\' && bytes::is_alnum(item[2])) add_addresses("\\" + inner, out);      // "\name", as people write it
        else add_addresses(item, out);           // a quoted local part
    }
    return out;
}

std::vector<Destination> parse_destination_lines(std::string_view text) {
    std::vector<Destination> out;
    while (!text.empty()) {
        std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = bytes::trim(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line[0] == '#') continue;
        for (Destination& d : parse_destinations(line)) out.push_back(std::move(d));
    }
    return out;
}
}
