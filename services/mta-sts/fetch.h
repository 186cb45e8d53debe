// One policy over HTTPS, from https://mta-sts.DOMAIN/.well-known/mta-sts.txt, as RFC 8461 section 3.3 wants it:
// text/plain, at most 64 KiB, and what http/https.h sees to.
//
// When things fail: an Error whose reason is for the log.
#pragma once
#include <string>
#include "base/error.h"
#include "ipc/tlsrpt.h"
#include "policy.h"
#include "http/https.h"

namespace mta_sts {
// failure: what TLSRPT calls it where there is no policy to be had.
Result<StsPolicy> fetch(const http::Web& web, const std::string& domain, std::chrono::milliseconds timeout,
                        ipc::tlsrpt::ResultType& failure);
}
