// The server's handshake.
#include <openssl/ssl.h>
#include "base/bytes.h"
#include "log/log.h"
#include "tls/debug.h"
#include "tls/identity.h"
#include "tls/keys.h"
#include "tls/layer.h"
#include "tls/log_options.h"
#include "tls/match.h"
#include "tls/server_context.h"
#include "tls/session.h"
#include "tls/sni_chains.h"
#include "tls/trace.h"

namespace tls {
namespace {
constexpr std::size_t name_length = 512;  // in the log

// Who the client says it is.
void introduce(SSL* ssl, const ServerContext& context, const Luggage& luggage, Info& info) {
    X509* peer = SSL_get0_peer_certificate(ssl);
    info.subject_dn = plus_encode(slash_name(X509_get_subject_name(peer)));
    info.issuer_dn = plus_encode(slash_name(X509_get_issuer_name(peer)));
    info.fingerprint = fingerprint(peer, context.fingerprint_digest());
    info.key_fingerprint = key_fingerprint(peer, context.fingerprint_digest());
    if (!luggage.chain_reason.empty())
        info.verify_error = luggage.chain_reason;
}

// What the handshake waits for after ClientHello: the session to be resumed, the chains of the name that the client
// asks for.
void fetch(TlsLayer& session, ServerContext& context) {
    Luggage& l = session.luggage;
    l.fetched = true;
    if (!l.wanted_id.empty()) {
        const std::string key = context.session_key(l.wanted_id);
        if (l.log & log_option::cache)
            maillog::info("{}: looking up session {} in smtpd cache", l.peer, key);
        if (auto found = context.store()->find(key))
            l.found = std::move(*found);
        if (!l.found.empty() && (l.log & log_option::cache))
            maillog::info("{}: reloaded session {} from smtpd cache", l.peer, key);
    }
    if (l.wanted_name.empty())
        return;
    std::string name = SniChains::key_of(l.wanted_name);
    if (name.empty()) {
        maillog::warning("TLS SNI from {} is invalid: {}", l.peer, bytes::printable(l.wanted_name));
        return;
    }
    const std::vector<Chain>* chains = context.sni()->find(name);
    if (!chains) {
        maillog::info("TLS SNI {} from {} not matched, using default chain", name, l.peer);
        return;
    }
    if (auto used = use_keys(session.ssl(), *chains); !used)
        maillog::warning("TLS SNI {} from {}: {}", name, l.peer, used.error().reason);
    else
        l.named = true;
}
}

Result<Info> accept(net::Stream& stream, ServerContext& context, loop::Deadline deadline, const std::string& peer,
                    const std::vector<std::string>& log_keys) {
    ignore_broken_pipes();
    context.refresh_ticket_keys();
    stream.discard_input();
    auto session = std::make_unique<TlsLayer>(context.context(), stream.fd());
    Luggage& luggage = session->luggage;
    luggage.peer = peer;
    luggage.log = context.log_for(log_keys);
    const unsigned log = luggage.log;
    if (log & log_option::verbose) {
        maillog::info("setting up TLS connection from {}", peer);
        maillog::info("{}: TLS cipher list \"{}\"", peer, context.ciphers());
    }
    const bool dump = log & (log_option::handshake_dump | log_option::session_dump);
    SSL_set_accept_state(session->ssl());
    if (log & log_option::ssl_debug)
        show_handshake(session->ssl());
    if (dump)
        show_bytes(session->ssl(), true);
    HandshakeTrace trace(session->ssl(), log & log_option::trace ? context.trace_size() : 0);
    if (auto done = shake(stream, *session, deadline, [&] { fetch(*session, context); }); !done) {
        Failure failed = handshake_failed("SSL_accept error from", peer, std::move(done.error()));
        trace.log(peer, context.traces_a_minute());
        return failed;
    }
    if (dump && !(log & log_option::session_dump))
        show_bytes(session->ssl(), false);
    Info info = describe(session->ssl(), true);
    if (info.peer_certificate)
        introduce(session->ssl(), context, luggage, info);
    if (!luggage.named)
        info.sni.clear();
    if (context.caches_sessions() && !luggage.made.empty() && !luggage.made_id.empty()) {
        const std::string key = context.session_key(luggage.made_id);
        if (log & log_option::cache)
            maillog::info("{}: save session {} to smtpd cache", peer, key);
        context.store()->save(key, luggage.made);
        luggage.made.clear();
    }
    if (info.resumed && (log & (log_option::cache | log_option::verbose)))
        maillog::info("{}: Reusing old session{}", peer, luggage.ticket_opened ? " (RFC 5077 session ticket)" : "");
    if (info.peer_certificate && (log & log_option::verbose)) {
        X509* certificate = SSL_get0_peer_certificate(session->ssl());
        maillog::info("subject={}", shown_name(X509_get_subject_name(certificate), name_length));
        maillog::info("issuer={}", shown_name(X509_get_issuer_name(certificate), name_length));
    }
    stream.set_layer(std::move(session));
    if (info.peer_certificate && log & log_option::peercert)
        maillog::info("{}", certificate_line(info, peer));
    // A revoked certificate is news at any level: somebody has a key that is not good any more.
    bool wanted = log & log_option::untrusted || context.requires_certificate() || info.revoked;
    if (!info.verify_error.empty() && wanted)
        maillog::info("certificate verification failed for {}: {}", peer, info.verify_error);
    if (log & log_option::routine)
        maillog::info("{}", established_line(info, true, peer));
    return info;
}
}
