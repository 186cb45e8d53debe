// What the client's sessions of a process share: keys, trusted CAs, and a library context for each demand (protocols, ciphers). Made from
// settings before the jail, as root; lives as long as its sessions.
//
// When things fail: create() returns an Error that names file or parameter and cause; a client that needs TLS defers.
#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>
#include "tls/context.h"

namespace conf { class Settings; }

namespace tls {
struct Chain;

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
}
