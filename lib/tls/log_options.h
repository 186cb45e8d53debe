// What of TLS is logged: smtp_tls_loglevel, smtpd_tls_loglevel and posttls-finger's -L, as levels 0 to 4 or by name.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "table/maps.h"

namespace tls {
using LogOptions = unsigned;
namespace log_option {
inline constexpr LogOptions none = 0;
inline constexpr LogOptions routine = 1;     // a line for each handshake
inline constexpr LogOptions untrusted = 2;   // why a chain is not trusted (without asking at levels that must verify)
inline constexpr LogOptions peercert = 4;    // subject, issuer, fingerprints
inline constexpr LogOptions certmatch = 8;   // which name or record matched
inline constexpr LogOptions cache = 16;      // sessions looked for and kept
inline constexpr LogOptions verbose = 32;    // certificates of the chain, cipher list
inline constexpr LogOptions ssl_debug = 64;  // the handshake step by step
inline constexpr LogOptions handshake_dump = 128, session_dump = 256;  // bytes
inline constexpr LogOptions trace = 512;                               // what a failed handshake did
inline constexpr LogOptions debug = routine | peercert | certmatch | cache | verbose | ssl_debug;
}
// "1", "routine,certmatch", "debug" …; absent where a word is none of them.
std::optional<LogOptions> parse_log_options(std::string_view text);

// main.cf's level, and the tables that know better for some peers (smtp_tls_loglevel_maps, smtpd_tls_loglevel_maps).
struct LogLevels {
    LogOptions level = log_option::none;
    table::Maps maps{};
    // The entry of the first key that has one. An unknown level or a failed look-up is a warning, and the next key is
    // asked. May wait.
    LogOptions of(const std::vector<std::string>& keys) const;
};
}
