// The client's handshake.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <vector>
#include "log/log.h"
#include "tls/client_context.h"
#include "tls/debug.h"
#include "tls/layer.h"
#include "tls/session.h"
#include "tls/verify.h"

namespace tls {
namespace {
// A session of an earlier connection, for this one to go on with.
void resume(SSL* ssl, const std::string& stored) {
    auto* p = reinterpret_cast<const unsigned char*>(stored.data());
    SessionPtr old(d2i_SSL_SESSION(nullptr, &p, static_cast<long>(stored.size())));
    if (old) SSL_set_session(ssl, old.get());
    ERR_clear_error();
}
}

Result<Info> connect(net::Stream& stream, ClientContext& context, const Demand& demand, loop::Deadline deadline, const std::string& peer, const std::vector<std::string>& log_keys) {
    ignore_broken_pipes();
    auto library = context.context_for(demand);
    if (!library) {
        maillog::warning("{}: {}: aborting TLS session", peer, library.error().reason);
        return tl::unexpected(std::move(library.error()));
    }
    stream.discard_input();
    auto session = std::make_unique<Session>(*library, stream.fd());
    Verification verification;
    verification.peer = peer;
    verification.log = context.log_for(log_keys);
    if (verification.log & log_option::verbose) maillog::info("setting up TLS connection to {}", peer);
    if (verification.log & log_option::ssl_debug) show_handshake(session->ssl());
    const bool dump = verification.log & (log_option::handshake_dump | log_option::session_dump);
    if (dump) show_bytes(session->ssl(), true);
    session->client = &context;
    if (!demand.server_name.empty()) SSL_set_tlsext_host_name(session->ssl(), demand.server_name.c_str());
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
    static constexpr unsigned char kinds[] = {TLSEXT_cert_type_rpk, TLSEXT_cert_type_x509};
    if (demand.raw_public_keys) SSL_set1_server_cert_type(session->ssl(), kinds, sizeof kinds);
#endif
    expect(session->ssl(), demand, context.multi_label_wildcards(), verification);
    if (context.store() && !demand.session_key.empty()) session->session_key = demand.session_key + "&" + demand.identity();
    const std::string& key = session->session_key;
    if (!key.empty()) {
        auto found = context.store()->find(key);
        if (verification.log & log_option::cache) maillog::info("looking for session {} in {} cache", key.substr(0, 200), key.substr(0, key.find(':')));
        if (found && (verification.log & log_option::cache)) maillog::info("reloaded session {} from {} cache", key.substr(0, 200), key.substr(0, key.find(':')));
        if (found) resume(session->ssl(), *found);
    }
    SSL_set_connect_state(session->ssl());
    if (auto done = shake(stream, *session, deadline, [] {}); !done) {
        SSL_set_app_data(session->ssl(), nullptr);
        Failure failed = handshake_failed("SSL_connect error to", peer, std::move(done.error()));
        if (!key.empty() && SSL_get_session(session->ssl())) context.store()->remove(key);   // whatever it was, the next try is a fresh one
        return failed;
    }
    if (dump && !(verification.log & log_option::session_dump)) show_bytes(session->ssl(), false);
    Info info = describe(session->ssl(), false);
    judge(session->ssl(), demand, context.fingerprint_digest(), verification, info);
    if (info.resumed && (verification.log & (log_option::cache | log_option::verbose))) maillog::info("{}: Reusing old session", peer);
    if (!key.empty() && verified(demand.level) && info.status == PeerStatus::untrusted) {
        if (info.resumed) context.store()->remove(key);
        session->session_key.clear();            // such a session is worth nothing to the next one
    }
    stream.set_layer(std::move(session));
    if (verification.log & log_option::routine) maillog::info("{}", established_line(info, false, peer));
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
