// One policy over HTTPS, from https://mta-sts.DOMAIN/.well-known/mta-sts.txt, as RFC 8461 section 3.3 wants it: no redirects, text/plain, at most
// 64 KiB, the host's certificate verified, and only from addresses that an outsider may make us talk to.
//
// When things fail: an Error whose reason is for the log. Waits for DNS in a fiber, and for the web on the pool.
#pragma once
#include <atomic>
#include <chrono>
#include <string>
#include "base/error.h"
#include "policy.h"
#include "table/match_list.h"

namespace mta_sts {
struct Web {
    std::string authorities;                     // CA certificates, PEM
    std::chrono::seconds timeout{60};            // for everything
    table::MatchList permitted;                  // networks that are not public, and yet may be asked
    std::atomic<bool> ending{false};             // the process ends: transfers stop
};
Result<Policy> fetch(const Web& web, const std::string& domain);

// Loopback, private, link-local, multicast and other addresses that no public host has.
bool public_address(const std::string& address);
}
