// Whether a server is the one that was asked for: the library is told before the handshake what to compare, and asked
// after it what came out. For connect.cc.
//
// When things fail: what cannot be compared (a record of the wrong length, no name at all) counts as not matching.
#pragma once
#include <string>
#include "base/error.h"
#include "tls/demand.h"
#include "tls/info.h"
#include "tls/log_options.h"

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct evp_md_st EVP_MD;
typedef struct x509_store_ctx_st X509_STORE_CTX;

namespace tls {
// What was found while the chain was looked at; hung on the SSL object for the time of the handshake.
struct Verification {
    std::string peer;  // for log lines
    LogOptions log = 0;
    int error = 0;       // X509_V_ERR_…: the one that came up nearest to the server's own certificate
    int depth = -1;      // where
    std::string issuer;  // "/CN=Some CA", of the certificate with the error
};

// Once for each library context: TLSA records and fingerprints can be compared, every chain is looked at and none ends
// the handshake.
void prepare_verification(SSL_CTX* context, const EVP_MD* fingerprint_digest);
// Before the handshake. multi_label: a wildcard stands for several labels.
void expect(SSL* ssl, const Demand& demand, bool multi_label, Verification& verification);
// After it: info's status and verify_error, and the lines of the log but the one that says "established".
void judge(SSL* ssl, const Demand& demand, const EVP_MD* fingerprint_digest, const Verification& verification,
           Info& info);
}
