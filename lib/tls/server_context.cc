#include "tls/server_context.h"
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include "base/bytes.h"
#include "conf/params/smtpd.h"
#include "conf/params/tls.h"
#include "conf/settings.h"
#include "log/log.h"
#include "tls/callbacks.h"
#include "tls/choice.h"
#include "tls/keys.h"

namespace tls {
namespace {
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

ServerContext::~ServerContext() = default;

Result<std::shared_ptr<ServerContext>> ServerContext::create(const conf::Settings& s, bool mandatory) {
    std::shared_ptr<ServerContext> made(new ServerContext);
    ContextPtr c(SSL_CTX_new(TLS_server_method()));
    if (!c) return context_error(library_errors("cannot start the TLS library"));
    TRY(use_common_options(c.get(), s));
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
    if (files.none()) return context_error("neither smtpd_tls_chain_files nor smtpd_tls_cert_file is set");
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
    else if (!ticket_cipher.empty()) return context_error(fmt::format("bad value of tls_session_ticket_cipher: \"{}\" is neither aes-256-cbc nor aes-128-cbc", ticket_cipher));
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
}
