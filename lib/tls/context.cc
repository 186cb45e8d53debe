#include "tls/context.h"
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <algorithm>
#include <array>
#include "base/bytes.h"
#include "conf/params/lmtp.h"
#include "conf/params/smtp.h"
#include "conf/params/smtpd.h"
#include "conf/params/tls.h"
#include "conf/settings.h"
#include "log/log.h"
#include "tls/callbacks.h"
#include "tls/choice.h"
#include "tls/keys.h"

namespace tls {
void FreeContext::operator()(SSL_CTX* c) const { SSL_CTX_free(c); }
void FreeStore::operator()(X509_STORE* s) const { X509_STORE_free(s); }

namespace {
constexpr std::size_t contexts_limit = 64;

Failure bad(std::string text) { return temporary(std::move(text), {4, 7, 0}); }
Failure in_parameter(std::string_view name, const Error& e) { return bad(fmt::format("bad value of {}: {}", name, e.reason)); }

// What every context gets, whatever side: library options, groups, buffers released while idle.
Result<void> common_options(SSL_CTX* c, const conf::Settings& settings) {
    auto workarounds = parse_workarounds(settings[param::tls_disable_workarounds]);
    if (!workarounds) return in_parameter("tls_disable_workarounds", workarounds.error());
    auto options = parse_ssl_options(settings[param::tls_ssl_options]);
    if (!options) return in_parameter("tls_ssl_options", options.error());
    SSL_CTX_set_options(c, (SSL_OP_ALL & ~*workarounds) | *options | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    std::string groups = known_groups(settings[param::tls_eecdh_auto_curves], settings[param::tls_ffdhe_auto_groups]);
    if (!groups.empty()) SSL_CTX_set1_groups_list(c, groups.c_str());
    SSL_CTX_set_security_level(c, 0);            // the grades of main.cf decide
    return {};
}

Result<void> use_protocols(SSL_CTX* c, std::string_view parameter, const std::string& text) {
    auto protocols = parse_protocols(text);
    if (!protocols) return in_parameter(parameter, protocols.error());
    SSL_CTX_set_min_proto_version(c, protocols->lowest);
    SSL_CTX_set_max_proto_version(c, protocols->highest);
    SSL_CTX_set_options(c, protocols->off);
    return {};
}

Result<void> use_ciphers(SSL_CTX* c, const conf::Settings& settings, std::string_view parameter, const std::string& grade, const std::string& exclude) {
    auto list = cipher_list(settings, grade, exclude);
    if (!list) return in_parameter(parameter, list.error());
    if (SSL_CTX_set_cipher_list(c, list->c_str()) != 1) return bad(fmt::format("no usable ciphers in \"{}\": {}", *list, library_errors("empty list")));
    return {};
}

Result<StorePtr> load_trusted(const std::string& file, const std::string& path, bool system_too) {
    StorePtr store(X509_STORE_new());
    if (!file.empty() && X509_STORE_load_file(store.get(), file.c_str()) != 1)
        return bad(fmt::format("cannot load CA certificates from {}: {}", file, library_errors("no certificates")));
    if (!path.empty() && X509_STORE_load_path(store.get(), path.c_str()) != 1)
        return bad(fmt::format("cannot use CA directory {}: {}", path, library_errors("unusable")));
    if (system_too) X509_STORE_set_default_paths(store.get());
    ERR_clear_error();
    return store;
}

void use_eecdh_grade(SSL_CTX* c, const conf::Settings& settings) {
    const std::string& grade = settings[param::smtpd_tls_eecdh_grade];
    std::string groups;
    if (grade == "strong") groups = settings[param::tls_eecdh_strong_curve];
    else if (grade == "ultra") groups = settings[param::tls_eecdh_ultra_curve];
    else if (grade == "none") groups = known_groups("", settings[param::tls_ffdhe_auto_groups]);
    if (!groups.empty() && SSL_CTX_set1_groups_list(c, groups.c_str()) != 1) maillog::warning("no usable curve for smtpd_tls_eecdh_grade = {}", grade);
    ERR_clear_error();
}

}

int parse_log_level(std::string_view text) {
    if (auto n = bytes::to_int(bytes::trim(text))) return static_cast<int>(std::clamp<std::int64_t>(*n, 0, 4));
    static constexpr std::array words{"none", "summary", "verbose", "debug", "trace"};
    for (std::size_t i = 0; i < words.size(); ++i) if (bytes::iequals(bytes::trim(text), words[i])) return static_cast<int>(i);
    return bytes::iequals(text, "routine") ? 1 : 0;
}

// --- server

ServerContext::~ServerContext() = default;

Result<std::shared_ptr<ServerContext>> ServerContext::create(const conf::Settings& s, bool mandatory) {
    std::shared_ptr<ServerContext> made(new ServerContext);
    ContextPtr c(SSL_CTX_new(TLS_server_method()));
    if (!c) return bad(library_errors("cannot start the TLS library"));
    TRY(common_options(c.get(), s));
    if (s[param::tls_preempt_cipherlist]) SSL_CTX_set_options(c.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
    TRY(mandatory ? use_protocols(c.get(), "smtpd_tls_mandatory_protocols", s[param::smtpd_tls_mandatory_protocols])
                  : use_protocols(c.get(), "smtpd_tls_protocols", s[param::smtpd_tls_protocols]));
    std::string exclude = s[param::smtpd_tls_exclude_ciphers];
    if (mandatory) exclude += " " + s[param::smtpd_tls_mandatory_exclude_ciphers];
    made->require_certificate_ = mandatory && s[param::smtpd_tls_req_ccert];
    made->ask_certificate_ = made->require_certificate_ || s[param::smtpd_tls_ask_ccert];
    if (made->ask_certificate_) exclude += " aNULL";           // without a certificate of ours we may not ask for one
    TRY(mandatory ? use_ciphers(c.get(), s, "smtpd_tls_mandatory_ciphers", s[param::smtpd_tls_mandatory_ciphers], exclude)
                  : use_ciphers(c.get(), s, "smtpd_tls_ciphers", s[param::smtpd_tls_ciphers], exclude));
    use_eecdh_grade(c.get(), s);
    SSL_CTX_set_dh_auto(c.get(), s[param::smtpd_tls_dh1024_param_file] == "none" ? 0 : 1);

    KeyFiles files{s[param::smtpd_tls_chain_files], s[param::smtpd_tls_cert_file], s[param::smtpd_tls_key_file], s[param::smtpd_tls_dcert_file],
                   s[param::smtpd_tls_dkey_file], s[param::smtpd_tls_eccert_file], s[param::smtpd_tls_eckey_file]};
    if (files.none()) return bad("neither smtpd_tls_chain_files nor smtpd_tls_cert_file is set");
    TRY_ASSIGN(auto chains, load_keys(files));
    TRY(use_keys(c.get(), chains));
    TRY_ASSIGN(StorePtr trusted, load_trusted(s[param::smtpd_tls_CAfile], s[param::smtpd_tls_CApath], s[param::tls_append_default_CA]));
    SSL_CTX_set_cert_store(c.get(), trusted.release());
    SSL_CTX_set_verify_depth(c.get(), static_cast<int>(s[param::smtpd_tls_ccert_verifydepth]));
    // The chain is judged after the handshake: an untrusted one is a peer without proof, not a failed connection.
    int verify = made->ask_certificate_ ? SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE : SSL_VERIFY_NONE;
    if (made->require_certificate_) verify |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(c.get(), verify, accept_any_chain);
    if (made->ask_certificate_ && !s[param::smtpd_tls_CAfile].empty())
        if (STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(s[param::smtpd_tls_CAfile].c_str())) SSL_CTX_set_client_CA_list(c.get(), names);
    ERR_clear_error();

    made->session_timeout_ = s[param::smtpd_tls_session_cache_timeout];
    const std::string& ticket_cipher = s[param::tls_session_ticket_cipher];
    if (bytes::iequals(ticket_cipher, "aes-256-cbc")) made->ticket_cipher_ = EVP_aes_256_cbc();
    else if (bytes::iequals(ticket_cipher, "aes-128-cbc")) made->ticket_cipher_ = EVP_aes_128_cbc();
    else if (!ticket_cipher.empty()) return bad(fmt::format("bad value of tls_session_ticket_cipher: \"{}\" is neither aes-256-cbc nor aes-128-cbc", ticket_cipher));
    made->tickets_ = made->ticket_cipher_ && made->session_timeout_.count() > 0 && !(SSL_CTX_get_options(c.get()) & SSL_OP_NO_TICKET);
    made->cache_sessions_ = made->session_timeout_.count() > 0 && !s[param::smtpd_tls_session_cache_database].empty();
    made->log_level_ = parse_log_level(s[param::smtpd_tls_loglevel]);
    SSL_CTX_set_timeout(c.get(), static_cast<long>(made->session_timeout_.count()));
    SSL_CTX_set_session_id_context(c.get(), reinterpret_cast<const unsigned char*>("smtpd"), 5);
    bool issue_ids = s[param::smtpd_tls_always_issue_session_ids];
    SSL_CTX_set_session_cache_mode(c.get(), issue_ids ? SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR : SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(c.get(), 1);
    made->context_ = std::move(c);
    made->keep_sessions_in(nullptr);
    return made;
}

void ServerContext::keep_sessions_in(SessionStore* store) {
    store_ = store;
    if (store_ && tickets_) {
        SSL_CTX_clear_options(context_.get(), SSL_OP_NO_TICKET);
        use_ticket_callback(context_.get(), this);
    } else {
        SSL_CTX_set_options(context_.get(), SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context_.get(), 0);
    }
    if (caches_sessions()) use_server_session_callbacks(context_.get());
}

void ServerContext::refresh_ticket_keys() {
    auto now = std::chrono::steady_clock::now();
    if (!store_ || !tickets_ || now < refresh_at_) return;
    refresh_at_ = now + std::chrono::seconds(60);              // first: whoever else comes here while we wait goes on with the old ones
    std::vector<TicketKey> keys = store_->ticket_keys();
    ticket_keys_ = std::move(keys);
    SSL_CTX_set_num_tickets(context_.get(), ticket_keys_.empty() ? 0 : 1);
}

// --- client

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
    if (contexts_.size() >= contexts_limit) return bad("too many different TLS demands");

    ContextPtr c(SSL_CTX_new(TLS_client_method()));
    if (!c) return bad(library_errors("cannot start the TLS library"));
    const char* prefix = lmtp_ ? "lmtp" : "smtp";
    const char* middle = must ? "mandatory_" : "";
    TRY(common_options(c.get(), s));
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
