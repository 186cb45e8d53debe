#include "checks.h"
#include "base/bytes.h"
#include "mail/header.h"

namespace cleanup {
namespace {
struct Word {
    std::string_view name;
    Action::Kind kind;
};
constexpr Word words[] = {
    {"BCC", Action::Kind::bcc},       {"DISCARD", Action::Kind::discard}, {"FILTER", Action::Kind::filter},
    {"HOLD", Action::Kind::hold},     {"IGNORE", Action::Kind::ignore},   {"INFO", Action::Kind::info},
    {"PASS", Action::Kind::pass},     {"PREPEND", Action::Kind::prepend}, {"REDIRECT", Action::Kind::redirect},
    {"REJECT", Action::Kind::reject}, {"REPLACE", Action::Kind::replace}, {"STRIP", Action::Kind::strip},
    {"WARN", Action::Kind::warn},     {"DUNNO", Action::Kind::none},      {"OK", Action::Kind::none},
};

std::string_view needs(const Action& action) {
    switch (action.kind) {
    case Action::Kind::bcc:
    case Action::Kind::redirect: return action.text.find('@') == std::string_view::npos ? "need user@domain" : "";
    case Action::Kind::filter:
        return action.text.find(':') == std::string_view::npos ? "need transport:destination" : "";
    case Action::Kind::prepend: return action.text.empty() ? "need text" : "";
    case Action::Kind::replace: return action.text.empty() ? "need text" : "";
    default: return "";
    }
}
}

Action parse_action(std::string_view result) {
    Action action;
    result = bytes::trim(result);
    const std::size_t end = result.find_first_of(" \t");
    const std::string_view command = result.substr(0, end);
    action.text = end == std::string_view::npos ? std::string_view() : bytes::trim(result.substr(end));
    action.kind = Action::Kind::unknown;
    for (const Word& word : words)
        if (bytes::iequals(word.name, command))
            action.kind = word.kind;
    action.complaint = needs(action);
    if (!action.complaint.empty())
        action.kind = Action::Kind::malformed;
    return action;
}
}
