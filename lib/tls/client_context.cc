#include "tls/client_context.h"
#include <fmt/format.h>
#include <openssl/ssl.h>
#include "conf/params/lmtp.h"
#include "conf/params/smtp.h"
#include "conf/params/tls.h"
#include "conf/settings.h"
#include "tls/callbacks.h"
#include "tls/keys.h"

namespace tls {
namespace {
constexpr std::size_t contexts_limit = 64;
}

ClientContext::ClientContext() = default;
ClientContext::~ClientContext() = default;

Result<std::shared_ptr<ClientContext>> ClientContext::create(const conf::Settings& s, bool lmtp) {
    std::shared_ptr<ClientContext> made(new ClientContext);
    made->settings_ = std::make_unique<conf::Settings>(s);
    made->lmtp_ = lmtp;
    auto text = [&](const conf::Text& smtp_one, const conf::Text& lmtp_one) { return s[lmtp ? lmtp_one : smtp_one]; };
    KeyFiles files{text(param::smtp_tls_chain_files, param::lmtp_tls_chain_files), text(param::smtp_tls_cert_file, param::lmtp_tls_cert_file),
                   text(param::smtp_tls_key_file, param::lmtp_tls_key_file),       text(param::smtp_tls_dcert_file, param::lmtp_tls_dcert_file),
                   text(param::smtp_tls_dkey_file, param::lmtp_tls_dkey_file),     text(param::smtp_tls_eccert_file, param::lmtp_tls_eccert_file),
                   text(param::smtp_tls_eckey_file, param::lmtp_tls_eckey_file)};
    TRY_ASSIGN(made->chains_, load_keys(files));
    TRY_ASSIGN(made->trusted_, load_trusted(text(param::smtp_tls_CAfile, param::lmtp_tls_CAfile), text(param::smtp_tls_CApath, param::lmtp_tls_CApath),
                                            s[param::tls_append_default_CA]));
    made->session_timeout_ = s[lmtp ? param::lmtp_tls_session_cache_timeout : param::smtp_tls_session_cache_timeout];
    made->log_level_ = parse_log_level(text(param::smtp_tls_loglevel, param::lmtp_tls_loglevel));
    TRY(made->context_for({}));                  // bad values are found at start
    TRY(made->context_for({.mandatory = true}));
    return made;
}

Result<SSL_CTX*> ClientContext::context_for(const Demand& demand) {
    const conf::Settings& s = *settings_;
    auto text = [&](const conf::Text& smtp_one, const conf::Text& lmtp_one) { return s[lmtp_ ? lmtp_one : smtp_one]; };
    bool must = demand.mandatory;
    std::string protocols = must ? text(param::smtp_tls_mandatory_protocols, param::lmtp_tls_mandatory_protocols) : text(param::smtp_tls_protocols, param::lmtp_tls_protocols);
    std::string ciphers = must ? text(param::smtp_tls_mandatory_ciphers, param::lmtp_tls_mandatory_ciphers) : text(param::smtp_tls_ciphers, param::lmtp_tls_ciphers);
    std::string exclude = text(param::smtp_tls_exclude_ciphers, param::lmtp_tls_exclude_ciphers);
    if (must) exclude += " " + text(param::smtp_tls_mandatory_exclude_ciphers, param::lmtp_tls_mandatory_exclude_ciphers);
    if (!demand.protocols.empty()) protocols = demand.protocols;
    if (!demand.ciphers.empty()) ciphers = demand.ciphers;
    exclude += " " + demand.exclude;
    std::string key = fmt::format("{}\n{}\n{}", protocols, ciphers, exclude);
    if (auto it = contexts_.find(key); it != contexts_.end()) return it->second.get();
    if (contexts_.size() >= contexts_limit) return context_error("too many different TLS demands");

    ContextPtr c(SSL_CTX_new(TLS_client_method()));
    if (!c) return context_error(library_errors("cannot start the TLS library"));
    const char* prefix = lmtp_ ? "lmtp" : "smtp";
    const char* middle = must ? "mandatory_" : "";
    TRY(use_common_options(c.get(), s));
    TRY(use_protocols(c.get(), fmt::format("{}_tls_{}protocols", prefix, middle), protocols));
    TRY(use_ciphers(c.get(), s, fmt::format("{}_tls_{}ciphers", prefix, middle), ciphers, exclude));
    TRY(use_keys(c.get(), chains_));
    X509_STORE_up_ref(trusted_.get());
    SSL_CTX_set_cert_store(c.get(), trusted_.get());
    SSL_CTX_set_verify_depth(c.get(), static_cast<int>(s[lmtp_ ? param::lmtp_tls_scert_verifydepth : param::smtp_tls_scert_verifydepth]));
    SSL_CTX_set_verify(c.get(), SSL_VERIFY_NONE, accept_any_chain);   // judged after the handshake, by the level
    SSL_CTX_set_timeout(c.get(), static_cast<long>(session_timeout_.count()));
    use_client_session_callbacks(c.get());
    return contexts_.emplace(std::move(key), std::move(c)).first->second.get();
}
}
