#include "tls/log_options.h"
#include "base/bytes.h"
#include "log/log.h"

namespace tls {
namespace {
struct Word {
    std::string_view name;
    LogOptions bits;
};
constexpr LogOptions expert = log_option::debug | log_option::handshake_dump;
constexpr Word words[] = {
    {"0", log_option::none},
    {"none", log_option::none},
    {"1", log_option::routine},
    {"routine", log_option::routine},
    {"summary", log_option::routine},
    {"2", log_option::debug},
    {"debug", log_option::debug},
    {"3", expert},
    {"ssl-expert", expert},
    {"4", expert | log_option::session_dump},
    {"ssl-developer", expert | log_option::session_dump},
    {"ssl-debug", log_option::ssl_debug},
    {"ssl-handshake-packet-dump", log_option::handshake_dump},
    {"ssl-session-packet-dump", log_option::session_dump},
    {"untrusted", log_option::untrusted},
    {"peercert", log_option::peercert},
    {"certmatch", log_option::certmatch},
    {"cache", log_option::cache},
    {"verbose", log_option::peercert | log_option::certmatch | log_option::cache | log_option::verbose},
    {"trace", log_option::trace},
};
}

std::optional<LogOptions> parse_log_options(std::string_view text) {
    LogOptions bits = 0;
    for (std::string_view word : bytes::split(text, " \t\r\n,|")) {
        bool known = false;
        for (const Word& w : words)
            if (bytes::iequals(w.name, word)) {
                bits |= w.bits;
                known = true;
            }
        if (!known)
            return std::nullopt;
    }
    return bits;
}

LogOptions LogLevels::of(const std::vector<std::string>& keys) const {
    if (maps.empty())
        return level;
    for (const std::string& key : keys) {
        auto hit = maps.find(key);
        if (!hit)
            maillog::warning("{}: {}", maps.title(), hit.error().reason);
        if (!hit || !*hit)
            continue;
        if (auto options = parse_log_options(**hit))
            return *options;
        maillog::warning("{}: bad TLS log level \"{}\" for {}", maps.title(), bytes::printable(**hit), key);
    }
    return level;
}
}
