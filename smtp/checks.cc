#include "checks.h"
#include <fmt/format.h>
#include "base/bytes.h"
#include "log/log.h"

namespace smtp {
Checks::Outcome Checks::apply(const table::Maps& maps, const char* what, std::string& text) const {
    Outcome outcome;
    if (maps.empty())
        return outcome;
    auto hit = maps.find(text);
    if (!hit) {
        outcome.problem = hit.error().reason;
        return outcome;
    }
    if (!*hit)
        return outcome;
    const auto words = bytes::cut(**hit, ' ');
    std::string_view action = words.first, rest = bytes::trim(words.second.value_or(""));
    auto is = [&](std::string_view name) { return bytes::iequals(action, name); };
    auto log = [&](std::string_view word) {
        std::string_view shown = std::string_view(text).substr(0, 200);
        maillog::info("{}: {}: {} {}{}{}", queue_id_, word, what, shown, rest.empty() ? "" : ": ", rest);
    };
    if (is("IGNORE"))
        outcome.drop = true;
    else if (is("STRIP")) {
        log("strip");
        outcome.drop = true;
    } else if (is("REPLACE")) {
        log("replace");
        text = rest;
    } else if (is("PREPEND")) {
        log("prepend");
        outcome.before.emplace_back(rest);
    } else if (is("INFO"))
        log("info");
    else if (is("WARN"))
        log("warning");
    else if (!is("DUNNO") && !is("PASS"))
        maillog::warning("{}: action \"{}\" is not for the {} client", maps.title(), action, config_.protocol());
    return outcome;
}

Checks::Outcome Checks::header(mail::HeaderClass klass, std::string& text) const {
    switch (klass) {
    case mail::HeaderClass::primary: return apply(config_.header_checks, "header", text);
    case mail::HeaderClass::mime: return apply(config_.mime_header_checks, "header", text);
    case mail::HeaderClass::nested: return apply(config_.nested_header_checks, "header", text);
    }
    return {};
}

Checks::Outcome Checks::body(std::string& line, std::size_t offset) const {
    return offset < config_.body_checks_limit ? apply(config_.body_checks, "body", line) : Outcome{};
}
}
