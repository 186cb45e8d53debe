#include "tls/client_chain.h"
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include "log/log.h"
#include "tls/callbacks.h"
#include "tls/identity.h"
#include "tls/log_options.h"
#include "tls/server_context.h"

namespace tls {
namespace {
SSL* ssl_of(X509_STORE_CTX* chain) {
    return static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
}

// A certificate made for servers is good enough for a client where the administrator says so.
bool allowed(int problem, X509* at, int depth, const ServerContext& server) {
    return problem == X509_V_ERR_INVALID_PURPOSE && depth == 0 && server.trusts_server_certificates() &&
           X509_check_purpose(at, X509_PURPOSE_SSL_SERVER, 0) == 1;
}

int note_problem(int good, X509_STORE_CTX* chain) {
    SSL* ssl = ssl_of(chain);
    Luggage* luggage = luggage_of(ssl);
    auto* server = static_cast<ServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    if (!luggage || !server)
        return good;
    X509* at = X509_STORE_CTX_get_current_cert(chain);
    int depth = X509_STORE_CTX_get_error_depth(chain);
    int problem = good ? X509_V_OK : X509_STORE_CTX_get_error(chain);
    if (at && luggage->log & log_option::verbose)
        maillog::info("{}: depth={} verify={} subject={}", luggage->peer, depth, good,
                      slash_name(X509_get_subject_name(at)));
    if (problem == X509_V_OK || (at && allowed(problem, at, depth, *server)))
        return 1;
    if (luggage->chain_problem == X509_V_OK || problem == X509_V_ERR_CERT_REVOKED) {
        luggage->chain_problem = problem;
        luggage->chain_reason = problem == X509_V_ERR_CERT_CHAIN_TOO_LONG
                                    ? fmt::format("certificate chain longer than limit({})", SSL_get_verify_depth(ssl))
                                    : chain_problem(problem, at, true);
    }
    return 1;
}

int judge(X509_STORE_CTX* chain, void*) {
    Luggage* luggage = luggage_of(ssl_of(chain));
    X509_STORE_CTX_set_verify_cb(chain, note_problem);
    bool good = X509_verify_cert(chain) == 1;
    int problem = luggage ? luggage->chain_problem : X509_V_ERR_UNSPECIFIED;
    if (!good && problem == X509_V_OK)
        problem = X509_V_ERR_UNSPECIFIED;
    X509_STORE_CTX_set_error(chain, problem);
    return 1;
}
}

void judge_client_chains(SSL_CTX* context) { SSL_CTX_set_cert_verify_callback(context, judge, nullptr); }

std::string chain_problem(int code, X509* at, bool of_client) {
    switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        if (at)
            return "untrusted issuer " + slash_name(X509_get_issuer_name(at));
        break;
    case X509_V_ERR_INVALID_PURPOSE:
        return of_client ? "not designated for use as a client certificate"
                         : "not designated for use as a server certificate";
    default: break;
    }
    return X509_verify_cert_error_string(code);
}
}
