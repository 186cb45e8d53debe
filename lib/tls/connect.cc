// The client's handshake.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include "log/log.h"
#include "tls/client_context.h"
#include "tls/layer.h"
#include "tls/session.h"

namespace tls {
Result<Info> connect(net::Stream& stream, ClientContext& context, const Demand& demand, loop::Deadline deadline, const std::string& peer) {
    ignore_broken_pipes();
    TRY_ASSIGN(SSL_CTX* library, context.context_for(demand));
    stream.discard_input();
    auto session = std::make_unique<Session>(library, stream.fd());
    if (context.log_level() >= 2) maillog::info("setting up TLS connection to {}", peer);
    session->client = &context;
    if (context.store()) session->session_key = demand.session_key;
    if (!demand.server_name.empty()) SSL_set_tlsext_host_name(session->ssl(), demand.server_name.c_str());
    if (!session->session_key.empty()) {
        if (auto found = context.store()->find(session->session_key)) {
            auto* p = reinterpret_cast<const unsigned char*>(found->data());
            SessionPtr old(d2i_SSL_SESSION(nullptr, &p, static_cast<long>(found->size())));
            if (old) SSL_set_session(session->ssl(), old.get());
            ERR_clear_error();
        }
    }
    SSL_set_connect_state(session->ssl());
    if (auto done = shake(stream, *session, deadline, [] {}); !done) {
        if (!session->session_key.empty() && SSL_get_session(session->ssl())) {
            Error error = std::move(done.error());
            Failure failed = handshake_failed("SSL_connect error to", peer, std::move(error));
            context.store()->remove(session->session_key);   // whatever it was, the next try is a fresh one
            return failed;
        }
        return handshake_failed("SSL_connect error to", peer, std::move(done.error()));
    }
    Info info = describe(session->ssl(), false);
    stream.set_layer(std::move(session));
    if (context.log_level() >= 1) maillog::info("{}", established_line(info, false, peer));
    return info;
}

void save_session(net::Stream& stream) {
    Session* session = session_of(stream);
    if (!session || session->session_key.empty() || session->luggage.made.empty()) return;
    std::string made = std::move(session->luggage.made);
    session->luggage.made.clear();
    session->client->store()->save(session->session_key, made);
}
}
