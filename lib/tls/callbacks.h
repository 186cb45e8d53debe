// What OpenSSL calls back, for context.cc and session.cc. None of these waits: they take from and put into the TlsLayer
// object what its fiber fetched before or stores after.
#pragma once
#include <string>

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct x509_store_ctx_st X509_STORE_CTX;

namespace tls {
class ServerContext;

// A place for sessions on their way between OpenSSL and the store; hung on the SSL object.
struct Luggage {
    std::string wanted_id;                            // server: the session that the client asks to resume
    bool fetched = false;                             // server: the store was asked for it
    std::string found;                                // server: what the store had
    std::string made_id, made;                        // the newest session to be kept
    bool key_unknown = false, ticket_opened = false;  // a ticket came that no key opens; that one did
    std::string wanted_name;                          // server: what the client asks for by SNI, as sent
    bool named = false;                               // server: and there are chains for it
    std::string peer;                                 // "host[addr]", for log lines of this handshake
    unsigned log = 0;                                 // LogOptions
    int chain_problem = 0;  // server: what is wrong with the client's chain, X509_V_ERR_…, and in words
    std::string chain_reason;
};
void hang_on(SSL* ssl, Luggage* luggage);
Luggage* luggage_of(const SSL* ssl);  // null: none was hung on

int accept_any_chain(int verified, X509_STORE_CTX* context);
// The server's callbacks find the ServerContext as the library context's app data.
void use_ticket_callback(SSL_CTX* context);
void use_server_session_callbacks(SSL_CTX* context);
// Stops the handshake after ClientHello, until the fiber has fetched what the Luggage wants.
void use_client_hello_callback(SSL_CTX* context);
void use_client_session_callbacks(SSL_CTX* context);
}
