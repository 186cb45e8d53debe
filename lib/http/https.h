// One request over HTTPS to a host that an outsider named: an MTA-STS policy is fetched so (RFC 8461, section 3.3), a
// TLS report delivered (RFC 8460, section 3). The host's certificate is verified, redirects are not followed, time and
// size are bounded, and only addresses that are public, or that the administrator lists, are connected to.
//
// When things fail: a temporary Error whose reason is for the log; its status is not_verified where the host's
// certificate is at fault. Waits for DNS in a fiber, and for the web on the pool.
#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include "base/error.h"
#include "conf/network.h"
#include "table/match_list.h"

namespace http {
inline constexpr EnhancedStatus not_verified{4, 7, 5};

struct Web {
    std::string authorities;           // CA certificates, PEM
    std::chrono::seconds timeout{60};  // for one request, everything
    table::MatchList permitted;        // networks that are not public, and yet may be asked
    conf::Families families{};         // inet_protocols
    std::atomic<bool> ending{false};   // the process ends: transfers stop
};
// Reads what settings name: a file of CA certificates and a list of networks. An unreadable file is one warning that
// ends in `consequence`.
void open_web(Web& web, const std::string& authorities_file, std::string_view networks_name,
              const std::string& networks, std::string_view consequence);

struct Request {
    std::string url;                              // https://host[:port]/…, host a name
    std::string content_type = {}, content = {};  // of a POST; no type: a GET
    std::size_t limit = 64 * 1024;                // of the answer's body, bytes
    std::chrono::milliseconds timeout{0};         // less than Web's; 0: as that
};
struct Reply {
    long status = 0;   // of HTTP
    std::string type;  // Content-Type, as it came
    std::string text;  // at most limit
    bool cut = false;  // there was more
};
Result<Reply> ask(const Web& web, const Request& request);

// Loopback, private, link-local, multicast and other addresses that no public host has.
bool public_address(const std::string& address);
}
