// See destinations.h.
#include "destinations.h"

#include "base/bytes.h"
#include "mail/address_tokens.h"

namespace local {
namespace {
constexpr std::string_view include = ":include:";

// Without quotes and backslashes, wherever they stand: the domain of an address is not looked for in what may be a
// command.
std::string unquoted(std::string_view external) {
    std::string out;
    for (std::size_t i = 0; i < external.size(); ++i) {
        if (external[i] == '"')
            continue;
        if (external[i] == '\\' && i + 1 < external.size())
            ++i;
        out += external[i];
    }
    return out;
}

Destination destination(std::string external) {
    using Kind = Destination::Kind;
    const std::string plain = unquoted(external);
    if (plain.starts_with('|'))
        return {Kind::command, plain.substr(1)};
    if (plain.starts_with('/') || plain.starts_with('~'))
        return {Kind::file, plain};
    if (bytes::istarts_with(plain, include))
        return {Kind::include, plain.substr(include.size())};
    return {Kind::address, std::move(external)};
}
}

std::vector<Destination> parse_destinations(std::string_view text) {
    std::vector<Destination> out;
    for (std::string& external : mail::AddressList::parse(text).addresses())
        if (!external.empty())
            out.push_back(destination(std::move(external)));
    return out;
}

std::vector<Destination> parse_destination_lines(std::string_view text) {
    std::vector<Destination> out;
    while (!text.empty()) {
        std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = bytes::trim(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line[0] == '#')
            continue;
        for (Destination& d : parse_destinations(line))
            out.push_back(std::move(d));
    }
    return out;
}
}
