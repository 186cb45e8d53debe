// The PROXY protocol of load balancers (haproxy), versions 1 (a line) and 2 (binary).
//
// When things fail: an Error, whose reason is for the log; the connection is of no use then.
#pragma once
#include <string_view>
#include "base/error.h"
#include "net/address.h"
#include "net/stream.h"

namespace smtpd {
// What a PROXY header said: the two ends that the balancer sees.
struct Proxied {
    bool local = false;  // a health check: the connection's own ends hold
    net::Address client, server;
};
// Reads a header of either version, and nothing behind it.
Result<Proxied> read_proxy_header(net::Stream& stream, loop::Deadline deadline);
// Version 1, without its line end; version 2 behind the signature and length. Pure.
Result<Proxied> parse_proxy_line(std::string_view line);
Result<Proxied> parse_proxy_block(std::string_view block);
}
