#include "keywords.h"
#include <algorithm>
#include <iterator>
#include <utility>
#include "base/bytes.h"
#include "log/log.h"

namespace smtpd {
namespace {
constexpr std::pair<std::string_view, unsigned> names[] = {
    {"PIPELINING", keyword::pipelining},
    {"SIZE", keyword::size},
    {"VRFY", keyword::vrfy},
    {"ETRN", keyword::etrn},
    {"STARTTLS", keyword::starttls},
    {"AUTH", keyword::auth},
    {"ENHANCEDSTATUSCODES", keyword::enhancedstatuscodes},
    {"8BITMIME", keyword::eightbitmime},
    {"DSN", keyword::dsn},
    {"SMTPUTF8", keyword::smtputf8},
    {"CHUNKING", keyword::chunking},
    {"VERP", keyword::verp},
    {"XCLIENT", keyword::xclient},
    {"XFORWARD", keyword::xforward},
    {"REQUIRETLS", keyword::requiretls},
};
// What a list may say besides.
constexpr std::pair<std::string_view, unsigned> other_names[] = {{"XVERP", keyword::verp},
                                                                 {"SILENT-DISCARD", keyword::silent}};

unsigned bit_of(std::string_view word) {
    auto is = [word](const auto& name) { return bytes::iequals(name.first, word); };
    if (auto at = std::find_if(std::begin(names), std::end(names), is); at != std::end(names))
        return at->second;
    auto at = std::find_if(std::begin(other_names), std::end(other_names), is);
    return at == std::end(other_names) ? 0 : at->second;
}
}

unsigned parse_keywords(std::string_view text, std::string_view parameter) {
    unsigned bits = 0;
    for (std::string_view word : bytes::split(text, ", \t\r\n")) {
        const unsigned bit = bit_of(word);
        if (bit == 0)
            maillog::warning("unknown EHLO keyword \"{}\" in {}", word, parameter);
        bits |= bit;
    }
    return bits;
}

std::string keyword_names(unsigned keywords) {
    std::string list;
    for (const auto& [name, bit] : names)
        if (keywords & bit)
            list.append(list.empty() ? "" : " ").append(name);
    return list;
}
}
