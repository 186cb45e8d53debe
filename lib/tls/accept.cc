// The server's handshake.
#include <openssl/ssl.h>
#include "base/bytes.h"
#include "log/log.h"
#include "tls/identity.h"
#include "tls/layer.h"
#include "tls/log_options.h"
#include "tls/match.h"
#include "tls/server_context.h"
#include "tls/session.h"

namespace tls {
namespace {
// Who the client says it is.
void introduce(SSL* ssl, const ServerContext& context, const Luggage& luggage, Info& info) {
    X509* peer = SSL_get0_peer_certificate(ssl);
    info.subject_dn = plus_encode(slash_name(X509_get_subject_name(peer)));
    info.issuer_dn = plus_encode(slash_name(X509_get_issuer_name(peer)));
    info.fingerprint = fingerprint(peer, context.fingerprint_digest());
    info.key_fingerprint = key_fingerprint(peer, context.fingerprint_digest());
    if (!luggage.chain_reason.empty()) info.verify_error = luggage.chain_reason;
}
}

Result<Info> accept(net::Stream& stream, ServerContext& context, loop::Deadline deadline, const std::string& peer) {
    ignore_broken_pipes();
    context.refresh_ticket_keys();
    stream.discard_input();
    auto session = std::make_unique<Session>(context.context(), stream.fd());
    session->luggage.peer = peer;
    session->luggage.log = context.log();
    if (context.log() & log_option::verbose) maillog::info("setting up TLS connection from {}", peer);
    SSL_set_accept_state(session->ssl());
    auto fetch = [&] {
        session->luggage.fetched = true;
        if (auto found = context.store()->find("smtpd:" + bytes::hex_encode(session->luggage.wanted_id))) session->luggage.found = std::move(*found);
    };
    if (auto done = shake(stream, *session, deadline, fetch); !done) return handshake_failed("SSL_accept error from", peer, std::move(done.error()));
    Info info = describe(session->ssl(), true);
    Luggage& luggage = session->luggage;
    if (info.peer_certificate) introduce(session->ssl(), context, luggage, info);
    if (context.caches_sessions() && !luggage.made.empty() && !luggage.made_id.empty()) {
        context.store()->save("smtpd:" + bytes::hex_encode(luggage.made_id), luggage.made);
        luggage.made.clear();
    }
    stream.set_layer(std::move(session));
    if (info.peer_certificate && luggage.log & log_option::peercert) maillog::info("{}", certificate_line(info, peer));
    // A revoked certificate is news at any level: somebody has a key that is not good any more.
    bool wanted = luggage.log & log_option::untrusted || context.requires_certificate() || info.revoked;
    if (!info.verify_error.empty() && wanted) maillog::info("certificate verification failed for {}: {}", peer, info.verify_error);
    if (luggage.log & log_option::routine) maillog::info("{}", established_line(info, true, peer));
    return info;
}
}
