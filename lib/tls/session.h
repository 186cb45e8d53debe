// TLS on a net::Stream: the handshake, and from then on the stream's layer. In a fiber the handshake waits like any
// read.
//
// When things fail: the handshake's Error says why ("lost connection", "timeout", or the library's words) and the usual
// line has been logged
// ("SSL_accept error from …", "SSL_connect error to …"); the stream is then good for nothing but close().
#pragma once
#include <string>
#include <vector>
#include "base/error.h"
#include "loop/loop.h"
#include "tls/info.h"

namespace net {
class Stream;
}

namespace tls {
class ServerContext;
class ClientContext;
struct Demand;

// Plaintext that came before the handshake is thrown away. peer is for log lines: "host[addr]", for a client
// "host[addr]:port". The established line is logged where the context's level says so (log_keys: what
// smtp_tls_loglevel_maps is asked for, in this order). A client's Info has status verified where the demand was met;
// whether less will do is the caller's affair, who knows demand.level. log_keys: what smtpd_tls_loglevel_maps is asked
// for, in this order.
Result<Info> accept(net::Stream& stream, ServerContext& context, loop::Deadline deadline, const std::string& peer,
                    const std::vector<std::string>& log_keys = {});
Result<Info> connect(net::Stream& stream, ClientContext& context, const Demand& demand, loop::Deadline deadline,
                     const std::string& peer, const std::vector<std::string>& log_keys = {});
// Hands what the server gave us for resumption (TLS 1.3 does so after the handshake) to the store: call before close().
// May wait.
void save_session(net::Stream& stream);
// Without tls_fast_shutdown_enable, before close(): our farewell, and the wait for the peer's. Nothing where the stream
// is not under TLS.
void say_farewell(net::Stream& stream, loop::Deadline deadline);
// Is the stream under TLS?
bool active(net::Stream& stream);
}
