// The chain of a client's certificate: verified during the handshake, judged after it. An untrusted client is a client
// without proof, not a failed connection; what its certificate may do is for the access rules.
//
// When things fail: the session's verify result holds the first problem, a revocation before all others, and the
// Luggage its words.
#pragma once
#include <string>

typedef struct ssl_ctx_st SSL_CTX;
typedef struct x509_st X509;

namespace tls {
void judge_client_chains(SSL_CTX* context);
// "untrusted issuer /CN=…", "certificate revoked": code is X509_V_ERR_…, at the certificate that has the problem.
std::string chain_problem(int code, X509* at, bool of_client);
}
