// What the server's sessions of a process share: keys, trusted CAs, protocols, ciphers, where sessions and ticket keys
// are kept. Made from settings before the jail, as root; lives as long as its sessions.
//
// When things fail: create() returns an Error that names file or parameter and cause. smtpd logs it once and answers
// STARTTLS with "454 4.7.0 TLS not available due to local problem".
#pragma once
#include <chrono>
#include <memory>
#include <vector>
#include "tls/context.h"
#include "tls/log_options.h"

namespace tls {
class SniChains;
struct FreeCipher {
    void operator()(EVP_CIPHER* c) const;
};

class ServerContext {
public:
    // By the smtpd_tls_* parameters; mandatory: TLS is required (encrypt, wrapper mode), so the mandatory_ protocols
    // and ciphers hold.
    static Result<std::shared_ptr<ServerContext>> create(const conf::Settings& settings, bool mandatory);
    ~ServerContext();
    // Null: no resumption. The store outlives the context.
    void keep_sessions_in(SessionStore* store);

    SSL_CTX* context() const { return context_.get(); }
    SessionStore* store() const { return store_; }
    bool caches_sessions() const { return store_ && cache_sessions_; }
    // Fetches ticket keys when those at hand were fetched a minute ago, or at once. May wait.
    void refresh_ticket_keys(bool at_once = false);
    const std::vector<TicketKey>& ticket_keys() const { return ticket_keys_; }
    const EVP_CIPHER* ticket_cipher() const { return ticket_cipher_.get(); }
    // What a session is kept under: by id, service and version of the library.
    std::string session_key(std::string_view id) const;
    const std::string& ciphers() const { return ciphers_; }  // as the library got them
    bool asks_certificate() const { return ask_certificate_; }
    bool requires_certificate() const { return require_certificate_; }
    // --- how a client's certificate is judged (client_chain.h), and what its fingerprints are made with
    bool trusts_server_certificates() const { return trusts_server_certificates_; }
    const EVP_MD* fingerprint_digest() const { return fingerprint_digest_; }
    // Files beyond those that main.cf names by themselves, for master to watch.
    const std::vector<std::string>& files() const { return files_; }
    // smtpd_tls_loglevel, or what smtpd_tls_loglevel_maps has for one of these keys, asked in this order. May wait.
    LogOptions log_for(const std::vector<std::string>& keys) const { return log_.of(keys); }
    std::size_t trace_size() const { return trace_size_; }
    std::int64_t traces_a_minute() const { return traces_a_minute_; }
    // Null: tls_server_sni_maps is empty.
    SniChains* sni() const { return sni_.get(); }

private:
    ServerContext();
    ContextPtr context_;
    SessionStore* store_ = nullptr;
    std::vector<TicketKey> ticket_keys_;
    std::unique_ptr<EVP_CIPHER, FreeCipher> ticket_cipher_;  // fetched once: looking one up costs as much as using it
    std::chrono::steady_clock::time_point refresh_at_{};
    std::chrono::seconds session_timeout_{3600};
    bool cache_sessions_ = false, tickets_ = false, ask_certificate_ = false, require_certificate_ = false;
    bool trusts_server_certificates_ = false;
    std::string ciphers_, session_key_;
    LogLevels log_;
    std::size_t trace_size_ = 0;
    std::int64_t traces_a_minute_ = 0;
    std::unique_ptr<SniChains> sni_;
    const EVP_MD* fingerprint_digest_ = nullptr;
    std::vector<std::string> files_;
    Result<void> negotiation(SSL_CTX* context, const conf::Settings& settings, bool mandatory);
    Result<void> trust(SSL_CTX* context, const conf::Settings& settings);
};
}
