// What the sessions of a process share: keys, trusted CAs, protocols, ciphers, where sessions and ticket keys are kept. Made from
// settings before the jail, as root; lives as long as its sessions.
//
// When things fail: create() returns an Error that names file or parameter and cause. smtpd logs it once and answers STARTTLS with
// "454 4.7.0 TLS not available due to local problem"; a client that needs TLS defers.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include "base/error.h"

typedef struct ssl_ctx_st SSL_CTX;
typedef struct x509_store_st X509_STORE;
typedef struct evp_cipher_st EVP_CIPHER;
namespace conf { class Settings; }

namespace tls {
struct Chain;

// The keys that seal session tickets. The first one seals; all open what they sealed.
struct TicketKey {
    std::string name;                            // 16 octets, on the wire
    std::string cipher_key, mac_key;             // 32 octets each
};

// Where sessions and ticket keys live that other processes see too: tlsmgr, or nothing. Calls may wait (they are made from a
// fiber, never from OpenSSL's callbacks).
class SessionStore {
public:
    virtual ~SessionStore() = default;
    virtual std::optional<std::string> find(std::string_view id) = 0;          // the session as i2d_SSL_SESSION wrote it
    virtual void save(std::string_view id, std::string_view session) = 0;
    virtual void remove(std::string_view id) = 0;
    // At most 4, newest first; empty: no tickets now.
    virtual std::vector<TicketKey> ticket_keys() = 0;
};

struct FreeContext { void operator()(SSL_CTX* c) const; };
struct FreeStore { void operator()(X509_STORE* s) const; };
using ContextPtr = std::unique_ptr<SSL_CTX, FreeContext>;
using StorePtr = std::unique_ptr<X509_STORE, FreeStore>;

class ServerContext {
public:
    // By the smtpd_tls_* parameters; mandatory: TLS is required (encrypt, wrapper mode), so the mandatory_ protocols and ciphers hold.
    static Result<std::shared_ptr<ServerContext>> create(const conf::Settings& settings, bool mandatory);
    ~ServerContext();
    // Null: no resumption. The store outlives the context.
    void keep_sessions_in(SessionStore* store);

    SSL_CTX* context() const { return context_.get(); }
    SessionStore* store() const { return store_; }
    bool caches_sessions() const { return store_ && cache_sessions_; }
    // Fetches ticket keys when those at hand are old. May wait.
    void refresh_ticket_keys();
    const std::vector<TicketKey>& ticket_keys() const { return ticket_keys_; }
    const EVP_CIPHER* ticket_cipher() const { return ticket_cipher_; }
    bool asks_certificate() const { return ask_certificate_; }
    bool requires_certificate() const { return require_certificate_; }
    int log_level() const { return log_level_; }

private:
    ServerContext() = default;
    ContextPtr context_;
    SessionStore* store_ = nullptr;
    std::vector<TicketKey> ticket_keys_;
    const EVP_CIPHER* ticket_cipher_ = nullptr;
    std::chrono::steady_clock::time_point refresh_at_{};
    std::chrono::seconds session_timeout_{3600};
    bool cache_sessions_ = false, tickets_ = false, ask_certificate_ = false, require_certificate_ = false;
    int log_level_ = 0;
};

// How one outgoing connection is to be secured.
struct Demand {
    bool mandatory = false;                      // the mandatory_ protocols and ciphers hold
    std::string protocols{}, ciphers{}, exclude{};   // where not empty: instead of (exclude: beside) those of main.cf
    std::string server_name{};                     // SNI; empty: none
    std::string session_key{};                     // of this server and demand, for resumption; empty: none
};

class ClientContext {
public:
    // By the smtp_tls_* or lmtp_tls_* parameters.
    static Result<std::shared_ptr<ClientContext>> create(const conf::Settings& settings, bool lmtp);
    ~ClientContext();
    void keep_sessions_in(SessionStore* store) { store_ = store; }
    SessionStore* store() const { return store_; }
    // The library's context for this demand; made when first asked for, from what create() read.
    Result<SSL_CTX*> context_for(const Demand& demand);
    int log_level() const { return log_level_; }

private:
    ClientContext();
    std::unique_ptr<conf::Settings> settings_;
    bool lmtp_ = false;
    std::vector<Chain> chains_;
    StorePtr trusted_;
    std::map<std::string, ContextPtr> contexts_; // by protocols, ciphers and exclusions; at most 64
    SessionStore* store_ = nullptr;
    std::chrono::seconds session_timeout_{3600};
    int log_level_ = 0;
};

// smtpd_tls_loglevel and its like: 0 to 4, or an old word ("none", "routine", "verbose" …).
int parse_log_level(std::string_view text);
}
