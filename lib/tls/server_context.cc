#include "tls/server_context.h"
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <algorithm>
#include <ctime>
#include "base/bytes.h"
#include "base/fd.h"
#include "conf/params/global.h"
#include "conf/params/smtpd.h"
#include "conf/params/tls.h"
#include "conf/settings.h"
#include "log/log.h"
#include "tls/callbacks.h"
#include "tls/choice.h"
#include "tls/client_chain.h"
#include "tls/keys.h"
#include "tls/library.h"
#include "tls/log_options.h"
#include "tls/match.h"
#include "tls/sni_chains.h"
#include "tls/trust.h"

namespace tls {
namespace {
void use_eecdh_grade(SSL_CTX* c, const conf::Settings& settings) {
    const std::string& grade = settings[param::smtpd_tls_eecdh_grade];
    std::string groups;
    if (grade == "strong")
        groups = settings[param::tls_eecdh_strong_curve];
    else if (grade == "ultra")
        groups = settings[param::tls_eecdh_ultra_curve];
    else if (grade == "none")
        groups = known_groups("", settings[param::tls_ffdhe_auto_groups]);
    if (!groups.empty() && SSL_CTX_set1_groups_list(c, groups.c_str()) != 1)
        maillog::warning("no usable curve for smtpd_tls_eecdh_grade = {}", grade);
    ERR_clear_error();
}

// CBC with blocks of 128 bits and a key of 128 to 256; null: no tickets.
std::unique_ptr<EVP_CIPHER, FreeCipher> find_ticket_cipher(const std::string& name) {
    std::unique_ptr<EVP_CIPHER, FreeCipher> cipher(name.empty() ? nullptr
                                                                : EVP_CIPHER_fetch(nullptr, name.c_str(), nullptr));
    ERR_clear_error();
    const int key = cipher ? EVP_CIPHER_get_key_length(cipher.get()) : 0;
    if (cipher && EVP_CIPHER_get_mode(cipher.get()) == EVP_CIPH_CBC_MODE &&
        EVP_CIPHER_get_block_size(cipher.get()) == 16 && key >= 16 && key <= 32)
        return cipher;
    if (!name.empty())
        maillog::warning("tls_session_ticket_cipher: invalid value: {}; session tickets disabled",
                         bytes::printable(name));
    return nullptr;
}

// Empty and "auto": the library's choice; "none": no such key exchange.
void use_dh_parameters(SSL_CTX* c, const std::string& file) {
    SSL_CTX_set_dh_auto(c, file == "none" ? 0 : 1);
    if (file.empty() || file == "auto" || file == "none")
        return;
    BIO* bio = BIO_new_file(file.c_str(), "r");
    EVP_PKEY* parameters = bio ? PEM_read_bio_Parameters(bio, nullptr) : nullptr;
    BIO_free(bio);
    if (!parameters || SSL_CTX_set0_tmp_dh_pkey(c, parameters) != 1) {
        EVP_PKEY_free(parameters);
        maillog::warning("cannot use DH parameters from {}: {}: using those of the library", file,
                         library_errors("none in it"));
        return;
    }
    SSL_CTX_set_dh_auto(c, 0);
}
}

void FreeCipher::operator()(EVP_CIPHER* c) const { EVP_CIPHER_free(c); }

ServerContext::ServerContext() = default;
ServerContext::~ServerContext() = default;

// Protocols, ciphers, groups: what the two sides may agree on.
Result<void> ServerContext::negotiation(SSL_CTX* c, const conf::Settings& s, bool mandatory) {
    TRY(use_common_options(c, s));
    if (s[param::tls_preempt_cipherlist])
        SSL_CTX_set_options(c, SSL_OP_CIPHER_SERVER_PREFERENCE);
    TRY(mandatory ? use_protocols(c, "smtpd_tls_mandatory_protocols", s[param::smtpd_tls_mandatory_protocols])
                  : use_protocols(c, "smtpd_tls_protocols", s[param::smtpd_tls_protocols]));
    std::string exclude = s[param::smtpd_tls_exclude_ciphers];
    if (mandatory)
        exclude += " " + s[param::smtpd_tls_mandatory_exclude_ciphers];
    if (ask_certificate_)
        exclude += " aNULL";  // without a certificate of ours we may not ask for one
    TRY_ASSIGN(ciphers_, mandatory ? use_ciphers(c, s, "smtpd_tls_mandatory_ciphers",
                                                 s[param::smtpd_tls_mandatory_ciphers], exclude)
                                   : use_ciphers(c, s, "smtpd_tls_ciphers", s[param::smtpd_tls_ciphers], exclude));
    use_eecdh_grade(c, s);
    use_dh_parameters(c, s[param::smtpd_tls_dh1024_param_file]);
    if (s[param::smtpd_tls_enable_rpk]) {
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
        static constexpr unsigned char kinds[] = {TLSEXT_cert_type_rpk, TLSEXT_cert_type_x509};
        SSL_CTX_set1_server_cert_type(c, kinds, sizeof kinds);
        if (ask_certificate_)
            SSL_CTX_set1_client_cert_type(c, kinds, sizeof kinds);
#else
        maillog::warning("smtpd_tls_enable_rpk = yes has no effect: raw public keys need OpenSSL 3.2 or later");
#endif
    }
    return {};
}

Result<std::shared_ptr<ServerContext>> ServerContext::create(const conf::Settings& s, bool mandatory) {
    TRY(start_library(s));
    std::shared_ptr<ServerContext> made(new ServerContext);
    ContextPtr c(SSL_CTX_new(TLS_server_method()));
    if (!c)
        return context_error(library_errors("cannot start the TLS library"));
    SSL_CTX_set_app_data(c.get(), made.get());
    made->require_certificate_ = mandatory && s[param::smtpd_tls_req_ccert];
    if (!mandatory && s[param::smtpd_tls_req_ccert])
        maillog::warning("Can't require client certs unless TLS is required");
    made->ask_certificate_ = made->require_certificate_ || s[param::smtpd_tls_ask_ccert];
    TRY(made->negotiation(c.get(), s, mandatory));

    KeyFiles files{s[param::smtpd_tls_chain_files], s[param::smtpd_tls_cert_file], s[param::smtpd_tls_key_file],
                   s[param::smtpd_tls_dcert_file],  s[param::smtpd_tls_dkey_file], s[param::smtpd_tls_eccert_file],
                   s[param::smtpd_tls_eckey_file]};
    if (files.none())
        return context_error("No server certs available. TLS won't be enabled: neither smtpd_tls_chain_files nor "
                             "smtpd_tls_cert_file is set");
    TRY_ASSIGN(auto chains, load_keys(files));
    TRY(use_keys(c.get(), chains));
    TRY(made->trust(c.get(), s));

    made->session_timeout_ = s[param::smtpd_tls_session_cache_timeout];
    if (made->session_timeout_.count() > 0)
        made->session_timeout_ = std::max(made->session_timeout_, std::chrono::seconds(120));
    made->ticket_cipher_ = find_ticket_cipher(s[param::tls_session_ticket_cipher]);
    made->tickets_ = made->ticket_cipher_ && made->session_timeout_.count() > 0 &&
                     !(SSL_CTX_get_options(c.get()) & SSL_OP_NO_TICKET);
    made->cache_sessions_ = made->session_timeout_.count() > 0 && !s[param::smtpd_tls_session_cache_database].empty();
    auto log = parse_log_options(s[param::smtpd_tls_loglevel]);
    if (!log)
        maillog::warning("smtpd_tls_loglevel: bad value \"{}\"", s[param::smtpd_tls_loglevel]);
    made->log_ = {log.value_or(log_option::none),
                  table::Maps::open("smtpd_tls_loglevel_maps", s[param::smtpd_tls_loglevel_maps])};
    if (made->log_.level & log_option::verbose)
        maillog::info("initializing the server-side TLS engine");
    made->session_key_ = fmt::format("&s={}&l={}", s[param::service_name], OpenSSL_version_num());
    made->trace_size_ = static_cast<std::size_t>(s[param::smtpd_tls_trace_size_limit]);
    made->traces_a_minute_ = s[param::tls_trace_rate_limit];
    if (!s[param::tls_server_sni_maps].empty())
        made->sni_ = std::make_unique<SniChains>(s);
    SSL_CTX_set_timeout(c.get(), static_cast<long>(made->session_timeout_.count()));
    bool issue_ids = s[param::smtpd_tls_always_issue_session_ids];
    SSL_CTX_set_session_cache_mode(c.get(), issue_ids ? SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL |
                                                            SSL_SESS_CACHE_NO_AUTO_CLEAR
                                                      : SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(c.get(), 1);
    made->context_ = std::move(c);
    made->keep_sessions_in(nullptr);
    return made;
}

Result<void> ServerContext::trust(SSL_CTX* c, const conf::Settings& s) {
    const std::string& file = s[param::smtpd_tls_CAfile];
    TRY_ASSIGN(StorePtr trusted, load_trusted(file, s[param::smtpd_tls_CApath], s[param::tls_append_default_CA]));
    // What sessions may be resumed in: a client that was trusted under other CAs or revocation lists comes with a full
    // handshake.
    std::string basis =
        fmt::format("smtpd {} {} {}", ask_certificate_, file.empty() ? "" : read_file(file, 64u << 20).value_or(""),
                    s[param::smtpd_tls_CApath]);
    if (const std::string& lists = s[param::smtpd_tls_CRL_file]; !lists.empty() && ask_certificate_) {
        std::string text;
        TRY_ASSIGN(auto read, load_revoked(trusted.get(), lists, text));
        files_.insert(files_.end(), read.begin(), read.end());
        basis += text;
    }
    unsigned char id[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_Digest(basis.data(), basis.size(), id, &length, EVP_sha256(), nullptr);
    SSL_CTX_set_session_id_context(c, id, length);
    SSL_CTX_set_cert_store(c, trusted.release());
    if (!ask_certificate_)
        return {};
    trusts_server_certificates_ = s[param::tls_trust_server_ccerts];
    const std::string& digest = s[param::smtpd_tls_fingerprint_digest];
    auto known = find_digest(digest);
    if (!known)
        return context_error("smtpd_tls_fingerprint_digest: " + known.error().reason);
    fingerprint_digest_ = *known;
    limit_chain(c, s[param::smtpd_tls_ccert_verifydepth]);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, accept_any_chain);
    judge_client_chains(c);
    if (!file.empty())
        if (STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file.c_str()))
            SSL_CTX_set_client_CA_list(c, names);
    ERR_clear_error();
    return {};
}

std::string ServerContext::session_key(std::string_view id) const { return bytes::hex_encode(id, true) + session_key_; }

void ServerContext::keep_sessions_in(SessionStore* store) {
    store_ = store;
    if (store_ && tickets_) {
        SSL_CTX_clear_options(context_.get(), SSL_OP_NO_TICKET);
        use_ticket_callback(context_.get());
    } else {
        SSL_CTX_set_options(context_.get(), SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context_.get(), 0);
    }
    if (caches_sessions())
        use_server_session_callbacks(context_.get());
    if (caches_sessions() || sni_)
        use_client_hello_callback(context_.get());
}

void ServerContext::refresh_ticket_keys(bool at_once) {
    auto now = std::chrono::steady_clock::now();
    if (!store_ || !tickets_ || (now < refresh_at_ && !at_once))
        return;
    refresh_at_ =
        now + std::chrono::seconds(60);  // first: whoever else comes here while we wait goes on with the old ones
    std::vector<TicketKey> keys = store_->ticket_keys();
    // Where tlsmgr does not answer those at hand go on, until the newest of them is too old to seal.
    if (!keys.empty() || ticket_keys_.empty() || ticket_keys_.front().expires <= std::time(nullptr))
        ticket_keys_ = std::move(keys);
    SSL_CTX_set_num_tickets(context_.get(), ticket_keys_.empty() ? 0 : 1);
}
}
