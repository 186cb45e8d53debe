// What server_context.* and client_context.* share: where sessions and ticket keys are kept, and what every library
// context gets whatever side it is for.
//
// When things fail: an Error (4.7.0) that names file or parameter and cause.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"

typedef struct ssl_ctx_st SSL_CTX;
typedef struct x509_store_st X509_STORE;
typedef struct evp_cipher_st EVP_CIPHER;
typedef struct evp_md_st EVP_MD;
namespace conf {
class Settings;
}

namespace tls {
// The keys that seal session tickets. The first one seals; all open what they sealed.
struct TicketKey {
    std::string name;                 // 16 octets, on the wire
    std::string cipher_key, mac_key;  // 32 octets each
    std::int64_t expires = 0;         // it seals until then (seconds since 1970); for the log
};

// Where sessions and ticket keys live that other processes see too: tlsmgr, or nothing. Calls may wait (they are made
// from a fiber, never from OpenSSL's callbacks).
class SessionStore {
public:
    virtual ~SessionStore() = default;
    virtual std::optional<std::string> find(std::string_view id) = 0;  // the session as i2d_SSL_SESSION wrote it
    virtual void save(std::string_view id, std::string_view session) = 0;
    virtual void remove(std::string_view id) = 0;
    // At most 4, newest first; empty: no tickets now.
    virtual std::vector<TicketKey> ticket_keys() = 0;
};

struct FreeContext {
    void operator()(SSL_CTX* c) const;
};
struct FreeStore {
    void operator()(X509_STORE* s) const;
};
using ContextPtr = std::unique_ptr<SSL_CTX, FreeContext>;
using StorePtr = std::unique_ptr<X509_STORE, FreeStore>;

// --- for server_context.cc and client_context.cc

// Library options, groups, buffers that are given back while idle.
Result<void> use_common_options(SSL_CTX* context, const conf::Settings& settings);
// certificates: what a …verifydepth parameter says.
void limit_chain(SSL_CTX* context, std::int64_t certificates);
// parameter: where the text comes from, for the Error.
Result<void> use_protocols(SSL_CTX* context, std::string_view parameter, const std::string& text);
// What the library was given, for the log.
Result<std::string> use_ciphers(SSL_CTX* context, const conf::Settings& settings, std::string_view parameter,
                                const std::string& grade, const std::string& exclude);
Failure context_error(std::string text);

// The warning of a daemon that goes on without TLS for this reason.
std::string disabling_text(const std::string& reason);
}
