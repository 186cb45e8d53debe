// The client's handshake.
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <vector>
#include "log/log.h"
#include "tls/client_context.h"
#include "tls/debug.h"
#include "tls/layer.h"
#include "tls/session.h"
#include "tls/trace.h"
#include "tls/verify.h"

namespace tls {
namespace {
// A session of an earlier connection, for this one to go on with.
void resume(SSL* ssl, const std::string& stored) {
    auto* p = reinterpret_cast<const unsigned char*>(stored.data());
    SessionPtr old(d2i_SSL_SESSION(nullptr, &p, static_cast<long>(stored.size())));
    if (old)
        SSL_set_session(ssl, old.get());
    ERR_clear_error();
}

// form: with places for the session's key and the cache's name.
void log_cache(const TlsLayer& session, fmt::format_string<std::string_view, std::string_view> form) {
    const std::string_view key = session.session_key;
    if (session.luggage.log & log_option::cache)
        maillog::info("{}", fmt::format(form, key.substr(0, 200), key.substr(0, key.find(':'))));
}

void forget(const TlsLayer& session) {
    log_cache(session, "remove session {} from client cache");
    session.client->store()->remove(session.session_key);
}
}

Result<Info> connect(net::Stream& stream, ClientContext& context, const Demand& demand, loop::Deadline deadline,
                     const std::string& peer, const std::vector<std::string>& log_keys) {
    ignore_broken_pipes();
    auto library = context.context_for(demand);
    if (!library) {
        maillog::warning("{}: {}: aborting TLS session", peer, library.error().reason);
        return tl::unexpected(std::move(library.error()));
    }
    stream.discard_input();
    auto session = std::make_unique<TlsLayer>((*library)->context.get(), stream.fd());
    Verification verification;
    verification.peer = peer;
    verification.log = context.log_for(log_keys);
    session->luggage.peer = peer;
    const unsigned log = session->luggage.log = verification.log;
    if (log & log_option::verbose) {
        maillog::info("setting up TLS connection to {}", peer);
        maillog::info("{}: TLS cipher list \"{}\"", peer, (*library)->ciphers);
    }
    if (log & log_option::ssl_debug)
        show_handshake(session->ssl());
    const bool dump = log & (log_option::handshake_dump | log_option::session_dump);
    if (dump)
        show_bytes(session->ssl(), true);
    HandshakeTrace trace(session->ssl(), log & log_option::trace ? context.trace_size() : 0);
    session->client = &context;
    if (!demand.server_name.empty())
        SSL_set_tlsext_host_name(session->ssl(), demand.server_name.c_str());
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
    static constexpr unsigned char kinds[] = {TLSEXT_cert_type_rpk, TLSEXT_cert_type_x509};
    if (demand.raw_public_keys)
        SSL_set1_server_cert_type(session->ssl(), kinds, sizeof kinds);
#endif
    expect(session->ssl(), demand, context.multi_label_wildcards(), verification);
    if (context.store() && !demand.session_key.empty())
        session->session_key = demand.session_key + "&" + demand.identity();
    const std::string& key = session->session_key;
    if (!key.empty()) {
        log_cache(*session, "looking for session {} in {} cache");
        auto found = context.store()->find(key);
        if (found)
            log_cache(*session, "reloaded session {} from {} cache");
        if (found)
            resume(session->ssl(), *found);
    }
    SSL_set_connect_state(session->ssl());
    if (auto done = shake(stream, *session, deadline, [] {}); !done) {
        SSL_set_app_data(session->ssl(), nullptr);
        Failure failed = handshake_failed("SSL_connect error to", peer, std::move(done.error()));
        trace.log(peer, context.traces_a_minute());
        if (!key.empty() && SSL_get_session(session->ssl()))
            forget(*session);  // whatever it was, the next try is a fresh one
        return failed;
    }
    if (dump && !(log & log_option::session_dump))
        show_bytes(session->ssl(), false);
    Info info = describe(session->ssl(), false);
    if (info.resumed && (log & (log_option::cache | log_option::verbose)))
        maillog::info("{}: Reusing old session", peer);
    judge(session->ssl(), demand, context.fingerprint_digest(), verification, info);
    if (!key.empty() && verified(demand.level) && info.status == PeerStatus::untrusted) {
        if (info.resumed)
            forget(*session);
        session->session_key.clear();  // such a session is worth nothing to the next one
    }
    stream.set_layer(std::move(session));
    if (log & log_option::routine)
        maillog::info("{}", established_line(info, false, peer));
    return info;
}

void save_session(net::Stream& stream) {
    TlsLayer* session = tls_layer_of(stream);
    if (!session || session->session_key.empty() || session->luggage.made.empty())
        return;
    std::string made = std::move(session->luggage.made);
    session->luggage.made.clear();
    log_cache(*session, "save session {} to {} cache");
    session->client->store()->save(session->session_key, made);
}
}
