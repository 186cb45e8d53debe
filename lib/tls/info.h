// What one finished handshake agreed on, for the log line, Received: and access rules.
#pragma once
#include <string>

typedef struct ssl_st SSL;

namespace tls {
enum class Flaw {
    none,
    name,
    expired,
    issuer,
    other
};  // of a certificate: not for this name | out of date | of nobody known and trusted
enum class PeerStatus {
    anonymous,
    untrusted,
    trusted,
    verified
};  // no certificate | chain not verified | verified | and the name matched

struct Info {
    std::string protocol;  // "TLSv1.3"
    std::string cipher;    // "TLS_AES_256_GCM_SHA384"
    int bits = 0, algorithm_bits = 0;
    // TLS 1.3 only, empty else (older cipher names say it). On a resumed session only the key exchange.
    std::string key_exchange;                     // "x25519"
    std::string server_signature;                 // "RSA-PSS (2048 bits)"
    std::string server_digest;                    // "SHA256"
    std::string client_signature, client_digest;  // where the client sent a certificate
    bool resumed = false;
    bool peer_certificate = false;
    PeerStatus status = PeerStatus::anonymous;
    std::string peer_name, issuer_name;  // common names, printable
    // Of the peer's certificate, where it sent one: see identity.h. The server's sessions only.
    std::string subject_dn, issuer_dn;  // in Sendmail's encoding
    std::string fingerprint, key_fingerprint;
    bool revoked = false;
    bool trusted() const { return status == PeerStatus::trusted || status == PeerStatus::verified; }
    Flaw flaw = Flaw::none;    // what verify_error is about
    std::string verify_error;  // why the chain is not trusted; empty where it is, or where there is none
    std::string sni;           // the name that the client asked for and got (server side)

    // "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange x25519 server-signature …"
    std::string summary() const;
};
// "host[addr]: subject_CN=…, issuer=…, cert fingerprint=…, pkey fingerprint=…"
std::string certificate_line(const Info& info, const std::string& peer);
// Reads them from a finished handshake.
Info describe(SSL* ssl, bool server);
// "Anonymous TLS connection established from host[addr]: SUMMARY"; peer as the log shows it, direction "from" or "to".
std::string established_line(const Info& info, bool server, const std::string& peer);
}
