#include "tls/info.h"
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <memory>
#include "base/bytes.h"
#include "tls/client_chain.h"
#include "tls/identity.h"
#include "tls/keys.h"

namespace tls {
namespace {
// "RSA-PSS (2048 bits)", "ECDSA (prime256v1)", "Ed25519": the algorithm of a handshake signature and the size of its
// key.
std::string signature(int signature_type, EVP_PKEY* key) {
    if (!key)
        return {};
    switch (signature_type) {
    case EVP_PKEY_RSA: return fmt::format("RSA ({} bits)", EVP_PKEY_get_bits(key));
    case EVP_PKEY_RSA_PSS: return fmt::format("RSA-PSS ({} bits)", EVP_PKEY_get_bits(key));
    case EVP_PKEY_DSA: return fmt::format("DSA ({} bits)", EVP_PKEY_get_bits(key));
    case EVP_PKEY_EC: {
        char group[64];
        std::size_t length = 0;
        if (EVP_PKEY_get_group_name(key, group, sizeof group, &length) != 1)
            return "ECDSA";
        return fmt::format("ECDSA ({})", std::string_view(group, length));
    }
    case EVP_PKEY_ED25519: return "Ed25519";
    case EVP_PKEY_ED448: return "Ed448";
    default: return {};
    }
}

std::string digest(int nid) { return nid == NID_undef ? std::string() : OBJ_nid2sn(nid); }

void describe_signatures(SSL* ssl, bool server, Info& info) {
    int type = NID_undef, hash = NID_undef, peer_type = NID_undef, peer_hash = NID_undef;
    SSL_get_signature_type_nid(ssl, &type);
    SSL_get_signature_nid(ssl, &hash);
    SSL_get_peer_signature_type_nid(ssl, &peer_type);
    SSL_get_peer_signature_nid(ssl, &peer_hash);
    X509Ptr peer(SSL_get1_peer_certificate(ssl));
    X509* own = SSL_get_certificate(ssl);
    std::string ours = signature(type, own ? X509_get0_pubkey(own) : nullptr);
    std::string theirs = signature(peer_type, peer ? X509_get0_pubkey(peer.get()) : nullptr);
    (server ? info.server_signature : info.client_signature) = ours;
    (server ? info.client_signature : info.server_signature) = theirs;
    if (!ours.empty())
        (server ? info.server_digest : info.client_digest) = digest(hash);
    if (!theirs.empty())
        (server ? info.client_digest : info.server_digest) = digest(peer_hash);
}
}

std::string Info::summary() const {
    std::string text = fmt::format("{} with cipher {} ({}/{} bits)", protocol, cipher, bits, algorithm_bits);
    if (!key_exchange.empty())
        text += " key-exchange " + key_exchange;
    if (!server_signature.empty())
        text += " server-signature " + server_signature;
    if (!server_digest.empty())
        text += " server-digest " + server_digest;
    if (!client_signature.empty())
        text += " client-signature " + client_signature;
    if (!client_digest.empty())
        text += " client-digest " + client_digest;
    return text;
}

Info describe(SSL* ssl, bool server) {
    Info info;
    info.protocol = SSL_get_version(ssl);
    if (const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl)) {
        info.cipher = SSL_CIPHER_get_name(cipher);
        info.bits = SSL_CIPHER_get_bits(cipher, &info.algorithm_bits);
    }
    info.resumed = SSL_session_reused(ssl);
    if (SSL_version(ssl) >= TLS1_3_VERSION) {
        int nid = SSL_get_negotiated_group(ssl);
        if (const char* group = nid > 0 ? SSL_group_to_name(ssl, nid) : nullptr)
            info.key_exchange = bytes::lowered(group);
        if (!info.resumed)
            describe_signatures(ssl, server, info);
    }
    if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name); server && name)
        info.sni = bytes::printable(std::string_view(name).substr(0, 255));
    X509Ptr peer(SSL_get1_peer_certificate(ssl));
    info.peer_certificate = peer != nullptr;
    if (!peer)
        return info;
    info.peer_name = common_name(X509_get_subject_name(peer.get()));
    info.issuer_name = common_name(X509_get_issuer_name(peer.get()));
    long verdict = SSL_get_verify_result(ssl);
    info.status = verdict == X509_V_OK ? PeerStatus::trusted : PeerStatus::untrusted;
    if (verdict != X509_V_OK)
        info.verify_error = chain_problem(static_cast<int>(verdict), peer.get(), server);
    info.revoked = verdict == X509_V_ERR_CERT_REVOKED;
    return info;
}

std::string established_line(const Info& info, bool server, const std::string& peer) {
    static constexpr const char* words[] = {"Anonymous", "Untrusted", "Trusted", "Verified"};
    return fmt::format("{} TLS connection established {} {}{}: {}", words[static_cast<int>(info.status)],
                       server ? "from" : "to", peer, server && !info.sni.empty() ? " to " + info.sni : "",
                       info.summary());
}

std::string certificate_line(const Info& info, const std::string& peer) {
    return fmt::format("{}: subject_CN={}, issuer={}, cert fingerprint={}, pkey fingerprint={}", peer, info.peer_name,
                       info.issuer_name.empty() ? info.issuer_dn : info.issuer_name, info.fingerprint,
                       info.key_fingerprint);
}
}
