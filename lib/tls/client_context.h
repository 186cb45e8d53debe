// What the client's sessions of a process share: keys, trusted CAs, and a library context for each demand (protocols,
// ciphers). Made from settings before the jail, as root; lives as long as its sessions.
//
// When things fail: create() returns an Error that names file or parameter and cause; a client that needs TLS defers.
#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include "tls/context.h"
#include "tls/dane.h"
#include "tls/demand.h"
#include "tls/log_options.h"

typedef struct evp_md_st EVP_MD;
namespace conf {
class Settings;
struct Text;
}

namespace tls {
struct Chain;

class ClientContext {
public:
    // By the smtp_tls_* or lmtp_tls_* parameters.
    static Result<std::shared_ptr<ClientContext>> create(const conf::Settings& settings, bool lmtp);
    ~ClientContext();
    void keep_sessions_in(SessionStore* store) { store_ = store; }
    SessionStore* store() const { return store_; }
    struct Library {
        ContextPtr context;
        std::string ciphers;
    };  // ciphers: the list that it got, for the log
    // The library's context for this demand; made when first asked for, from what create() read.
    Result<const Library*> context_for(const Demand& demand);
    // smtp_tls_loglevel, or what smtp_tls_loglevel_maps has for one of these keys, asked in this order. May wait.
    LogOptions log_for(const std::vector<std::string>& keys) const { return log_.of(keys); }
    const EVP_MD* fingerprint_digest() const { return digest_; }
    // Null where tls_dane_digests makes no sense: then there is no DANE.
    const Dane* dane() const { return dane_.get(); }
    bool multi_label_wildcards() const { return multi_label_; }
    std::size_t trace_size() const { return trace_size_; }
    std::int64_t traces_a_minute() const { return traces_a_minute_; }

private:
    ClientContext();
    const std::string& text(const conf::Text& smtp_one, const conf::Text& lmtp_one) const;
    std::unique_ptr<conf::Settings> settings_;
    bool lmtp_ = false;
    std::vector<Chain> chains_;
    StorePtr trusted_, public_;                // public_: of mta_sts_CAfile, where MTA-STS is in use
    std::map<std::string, Library> contexts_;  // by protocols, ciphers and exclusions; at most 64
    SessionStore* store_ = nullptr;
    std::chrono::seconds session_timeout_{3600};
    LogLevels log_;
    const EVP_MD* digest_ = nullptr;
    std::shared_ptr<const Dane> dane_;
    bool multi_label_ = true;
    std::size_t trace_size_ = 0;
    std::int64_t traces_a_minute_ = 0;
};
}
