// The server's handshake.
#include <openssl/ssl.h>
#include "base/bytes.h"
#include "log/log.h"
#include "tls/layer.h"
#include "tls/server_context.h"
#include "tls/session.h"

namespace tls {
Result<Info> accept(net::Stream& stream, ServerContext& context, loop::Deadline deadline, const std::string& peer) {
    ignore_broken_pipes();
    context.refresh_ticket_keys();
    stream.discard_input();
    auto session = std::make_unique<Session>(context.context(), stream.fd());
    if (context.log_level() >= 2) maillog::info("setting up TLS connection from {}", peer);
    SSL_set_accept_state(session->ssl());
    auto fetch = [&] {
        session->luggage.fetched = true;
        if (auto found = context.store()->find("smtpd:" + bytes::hex_encode(session->luggage.wanted_id))) session->luggage.found = std::move(*found);
    };
    if (auto done = shake(stream, *session, deadline, fetch); !done) return handshake_failed("SSL_accept error from", peer, std::move(done.error()));
    Info info = describe(session->ssl(), true);
    Luggage& luggage = session->luggage;
    if (context.caches_sessions() && !luggage.made.empty() && !luggage.made_id.empty()) {
        context.store()->save("smtpd:" + bytes::hex_encode(luggage.made_id), luggage.made);
        luggage.made.clear();
    }
    stream.set_layer(std::move(session));
    if (context.log_level() >= 1) maillog::info("{}", established_line(info, true, peer));
    return info;
}
}
