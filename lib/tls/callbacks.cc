#include "tls/callbacks.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <cstring>
#include "log/log.h"
#include "tls/log_options.h"
#include "tls/server_context.h"

namespace tls {
namespace {
constexpr std::size_t session_limit = 64 * 1024;

int luggage_index() {
    static int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

std::string bytes_of(const unsigned char* p, std::size_t n) { return std::string(reinterpret_cast<const char*>(p), n); }

void keep(Luggage& luggage, SSL_SESSION* session) {
    int length = i2d_SSL_SESSION(session, nullptr);
    if (length <= 0 || static_cast<std::size_t>(length) > session_limit)
        return;
    luggage.made.resize(static_cast<std::size_t>(length));
    auto* p = reinterpret_cast<unsigned char*>(luggage.made.data());
    i2d_SSL_SESSION(session, &p);
    unsigned id_length = 0;
    const unsigned char* id = SSL_SESSION_get_id(session, &id_length);
    luggage.made_id = bytes_of(id, id_length);
}

int new_client_session(SSL* ssl, SSL_SESSION* session) {
    if (Luggage* l = luggage_of(ssl))
        keep(*l, session);
    return 0;  // the library keeps its reference
}
int new_server_session(SSL* ssl, SSL_SESSION* session) {
    Luggage* l = luggage_of(ssl);
    if (l && SSL_version(ssl) < TLS1_3_VERSION)
        keep(*l, session);
    return 0;
}

// TLS 1.2 and older resume by id. A client that can do 1.3, with a server that does, sends an id for show.
std::string id_to_resume(SSL* ssl) {
    const unsigned char *id = nullptr, *extension = nullptr;
    std::size_t extension_length = 0;
    std::size_t length = SSL_client_hello_get0_session_id(ssl, &id);
    long highest = SSL_get_max_proto_version(ssl);
    bool new_server = (highest == 0 || highest >= TLS1_3_VERSION) && !(SSL_get_options(ssl) & SSL_OP_NO_TLSv1_3);
    // Where a ticket comes along the id is not looked at.
    bool ticket = SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_session_ticket, &extension, &extension_length) &&
                  extension_length > 0;
    if (length == 0 || (ticket && !(SSL_get_options(ssl) & SSL_OP_NO_TICKET)) ||
        (new_server && SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &extension, &extension_length)))
        return {};
    return bytes_of(id, length);
}

// RFC 6066: list length, type 0, name length, name.
std::string name_asked_for(SSL* ssl) {
    const unsigned char* p = nullptr;
    std::size_t n = 0;
    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n) || n < 5 || p[2] != TLSEXT_NAMETYPE_host_name)
        return {};
    std::size_t length = static_cast<std::size_t>(p[3]) << 8 | p[4];
    return length <= n - 5 && length <= 255 ? bytes_of(p + 5, length) : std::string();
}

int client_hello(SSL* ssl, int*, void*) {
    Luggage* l = luggage_of(ssl);
    if (!l || l->fetched)
        return SSL_CLIENT_HELLO_SUCCESS;
    auto* server = static_cast<ServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    if (server->caches_sessions())
        l->wanted_id = id_to_resume(ssl);
    if (server->sni())
        l->wanted_name = name_asked_for(ssl);
    return l->wanted_id.empty() && l->wanted_name.empty() ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_RETRY;
}

int acknowledge_name(SSL* ssl, int*, void*) {
    Luggage* l = luggage_of(ssl);
    return l && l->named ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

SSL_SESSION* get_server_session(SSL* ssl, const unsigned char* id, int length, int* copy) {
    *copy = 0;
    Luggage* l = luggage_of(ssl);
    if (!l || l->found.empty() || l->wanted_id != bytes_of(id, static_cast<std::size_t>(length)))
        return nullptr;
    auto* p = reinterpret_cast<const unsigned char*>(l->found.data());
    return d2i_SSL_SESSION(nullptr, &p, static_cast<long>(l->found.size()));
}

int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
               int sealing) {
    auto* server = static_cast<ServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    const auto& keys = server->ticket_keys();
    const TicketKey* key = nullptr;
    Luggage* l = luggage_of(ssl);
    if (sealing) {
        if (!keys.empty())
            key = &keys.front();
    } else {
        for (const TicketKey& k : keys)
            if (std::memcmp(k.name.data(), name, 16) == 0)
                key = &k;
        if (l)
            (key ? l->ticket_opened : l->key_unknown) = true;
    }
    if (key && l && (l->log & log_option::cache))
        maillog::info("{}: {} session ticket, key expiration: {}", l->peer, sealing ? "Issuing" : "Decrypting",
                      key->expires);
    if (!key)
        return 0;  // sealing: no ticket; opening: a full handshake
    if (sealing) {
        std::memcpy(name, key->name.data(), 16);
        if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1)
            return -1;
    }
    OSSL_PARAM params[3];
    params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<char*>(key->mac_key.data()),
                                                  key->mac_key.size());
    params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("sha256"), 0);
    params[2] = OSSL_PARAM_construct_end();
    auto* secret = reinterpret_cast<const unsigned char*>(key->cipher_key.data());
    if (EVP_MAC_CTX_set_params(mac, params) != 1)
        return -1;
    if (EVP_CipherInit_ex(cipher, server->ticket_cipher(), nullptr, secret, iv, sealing) != 1)
        return -1;
    return sealing || key == &keys.front() ? 1 : 2;  // 2: opened with an old key, send a ticket of the new one
}
}

Luggage* luggage_of(const SSL* ssl) { return static_cast<Luggage*>(SSL_get_ex_data(ssl, luggage_index())); }
void hang_on(SSL* ssl, Luggage* luggage) { SSL_set_ex_data(ssl, luggage_index(), luggage); }

int accept_any_chain(int, X509_STORE_CTX*) { return 1; }

void use_ticket_callback(SSL_CTX* context) { SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key); }

void use_server_session_callbacks(SSL_CTX* context) {
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    SSL_CTX_sess_set_new_cb(context, new_server_session);
    SSL_CTX_sess_set_get_cb(context, get_server_session);
}

void use_client_hello_callback(SSL_CTX* context) {
    SSL_CTX_set_client_hello_cb(context, client_hello, nullptr);
    SSL_CTX_set_tlsext_servername_callback(context, acknowledge_name);
}

void use_client_session_callbacks(SSL_CTX* context) {
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    SSL_CTX_sess_set_new_cb(context, new_client_session);
}
}
