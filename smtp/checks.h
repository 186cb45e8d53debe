// smtp_header_checks and its like: the actions of header_checks(5) that a client can still take while a message leaves:
// IGNORE (and STRIP, with a log line), REPLACE, PREPEND, INFO, WARN, DUNNO. Others are logged as unknown here and do
// nothing.
#pragma once
#include <string>
#include <string_view>
#include <vector>
#include "config.h"
#include "mail/mime.h"

namespace smtp {
class Checks {
public:
    Checks(const Config& config, std::string_view queue_id) : config_(config), queue_id_(queue_id) {}
    struct Outcome {
        bool drop = false;
        std::vector<std::string> before;  // lines to go in front
        std::string problem;              // a table could not tell: the message is deferred
    };
    // text is changed by REPLACE.
    Outcome header(mail::HeaderClass klass, std::string& text) const;
    Outcome body(std::string& line, std::size_t offset) const;
    bool looks_at_bodies() const { return !config_.body_checks.empty(); }

private:
    Outcome apply(const table::Maps& maps, const char* what, std::string& text) const;
    const Config& config_;
    std::string_view queue_id_;
};
}
