#include "tls/client_context.h"
#include <fmt/format.h>
#include <openssl/ssl.h>
#include "base/bytes.h"
#include "conf/params/lmtp.h"
#include "conf/params/smtp.h"
#include "conf/params/tls.h"
#include "conf/settings.h"
#include "log/log.h"
#include "tls/callbacks.h"
#include "tls/keys.h"
#include "tls/library.h"
#include "tls/match.h"
#include "tls/trust.h"
#include "tls/verify.h"

namespace tls {
namespace {
constexpr std::size_t contexts_limit = 64;
constexpr bool raw_public_keys_known = OPENSSL_VERSION_NUMBER >= 0x30200000L;
}

ClientContext::ClientContext() = default;
ClientContext::~ClientContext() = default;

Result<std::shared_ptr<ClientContext>> ClientContext::create(const conf::Settings& s, bool lmtp) {
    std::shared_ptr<ClientContext> made(new ClientContext);
    made->settings_ = std::make_unique<conf::Settings>(s);
    made->lmtp_ = lmtp;
    auto text = [&](const conf::Text& smtp_one, const conf::Text& lmtp_one) { return made->text(smtp_one, lmtp_one); };
    KeyFiles files{text(param::smtp_tls_chain_files, param::lmtp_tls_chain_files),
                   text(param::smtp_tls_cert_file, param::lmtp_tls_cert_file),
                   text(param::smtp_tls_key_file, param::lmtp_tls_key_file),
                   text(param::smtp_tls_dcert_file, param::lmtp_tls_dcert_file),
                   text(param::smtp_tls_dkey_file, param::lmtp_tls_dkey_file),
                   text(param::smtp_tls_eccert_file, param::lmtp_tls_eccert_file),
                   text(param::smtp_tls_eckey_file, param::lmtp_tls_eckey_file)};
    TRY(start_library(s));
    TRY_ASSIGN(made->chains_, load_keys(files));
    TRY_ASSIGN(made->trusted_,
               load_trusted(text(param::smtp_tls_CAfile, param::lmtp_tls_CAfile),
                            text(param::smtp_tls_CApath, param::lmtp_tls_CApath), s[param::tls_append_default_CA]));
    if (!lmtp && s[param::smtp_tls_mta_sts] != "none") {
        auto authorities = load_trusted(s[param::mta_sts_CAfile], "", false);
        if (!authorities)
            maillog::warning("mta_sts_CAfile: {}: servers of MTA-STS policies cannot be verified",
                             authorities.error().reason);
        made->public_ = authorities ? std::move(*authorities) : StorePtr(X509_STORE_new());
    }
    made->session_timeout_ = s[lmtp ? param::lmtp_tls_session_cache_timeout : param::smtp_tls_session_cache_timeout];
    const std::string& level = text(param::smtp_tls_loglevel, param::lmtp_tls_loglevel);
    auto log = parse_log_options(level);
    if (!log)
        maillog::warning("{}_tls_loglevel = {}: unknown TLS log level", lmtp ? "lmtp" : "smtp",
                         bytes::printable(level));
    const conf::Text& level_maps = lmtp ? param::lmtp_tls_loglevel_maps : param::smtp_tls_loglevel_maps;
    made->log_ = {log.value_or(log_option::routine), table::Maps::open(level_maps.name, s[level_maps])};
    auto digest = find_digest(text(param::smtp_tls_fingerprint_digest, param::lmtp_tls_fingerprint_digest));
    if (!digest)
        return context_error(
            fmt::format("bad value of {}_tls_fingerprint_digest: {}", lmtp ? "lmtp" : "smtp", digest.error().reason));
    made->digest_ = *digest;
    auto dane = Dane::create(s[param::tls_dane_digests]);
    if (dane)
        made->dane_ = std::move(*dane);
    else
        maillog::warning("DANE is disabled: {}", dane.error().reason);
    if (made->log_.level & log_option::verbose)
        maillog::info("initializing the client-side TLS engine");
    made->trace_size_ =
        static_cast<std::size_t>(s[lmtp ? param::lmtp_tls_trace_size_limit : param::smtp_tls_trace_size_limit]);
    made->traces_a_minute_ = s[param::tls_trace_rate_limit];
    made->multi_label_ = s[param::tls_wildcard_matches_multiple_labels];
    if (s[lmtp ? param::lmtp_tls_enable_rpk : param::smtp_tls_enable_rpk] && !raw_public_keys_known)
        maillog::warning("{}_tls_enable_rpk = yes has no effect: raw public keys need OpenSSL 3.2 or later",
                         lmtp ? "lmtp" : "smtp");
    TRY(made->context_for({}));  // bad values are found at start
    TRY(made->context_for({.mandatory = true}));
    return made;
}

const std::string& ClientContext::text(const conf::Text& smtp_one, const conf::Text& lmtp_one) const {
    return (*settings_)[lmtp_ ? lmtp_one : smtp_one];
}

Result<const ClientContext::Library*> ClientContext::context_for(const Demand& demand) {
    const conf::Settings& s = *settings_;
    bool must = demand.mandatory;
    std::string protocols = must ? text(param::smtp_tls_mandatory_protocols, param::lmtp_tls_mandatory_protocols)
                                 : text(param::smtp_tls_protocols, param::lmtp_tls_protocols);
    std::string ciphers = must ? text(param::smtp_tls_mandatory_ciphers, param::lmtp_tls_mandatory_ciphers)
                               : text(param::smtp_tls_ciphers, param::lmtp_tls_ciphers);
    std::string exclude = text(param::smtp_tls_exclude_ciphers, param::lmtp_tls_exclude_ciphers);
    if (must)
        exclude += " " + text(param::smtp_tls_mandatory_exclude_ciphers, param::lmtp_tls_mandatory_exclude_ciphers);
    if (!demand.protocols.empty())
        protocols = demand.protocols;
    if (!demand.ciphers.empty())
        ciphers = demand.ciphers;
    if (demand.exclude)
        exclude = *demand.exclude;
    if (verified(demand.level))
        exclude += " aNULL";  // nobody could prove anything
    std::string key = fmt::format("{}\n{}\n{}\n{}", protocols, ciphers, exclude, demand.public_authorities);
    if (auto it = contexts_.find(key); it != contexts_.end())
        return &it->second;
    if (contexts_.size() >= contexts_limit)
        return context_error("too many different TLS demands");

    ContextPtr c(SSL_CTX_new(TLS_client_method()));
    if (!c)
        return context_error(library_errors("cannot start the TLS library"));
    const char* prefix = lmtp_ ? "lmtp" : "smtp";
    const char* middle = must ? "mandatory_" : "";
    TRY(use_common_options(c.get(), s));
    TRY(use_protocols(c.get(),
                      demand.protocols.empty() ? fmt::format("{}_tls_{}protocols", prefix, middle)
                                               : "the policy's protocols",
                      protocols));
    TRY_ASSIGN(std::string list, use_ciphers(c.get(), s,
                                             demand.ciphers.empty() ? fmt::format("{}_tls_{}ciphers", prefix, middle)
                                                                    : "the policy's ciphers",
                                             ciphers, exclude));
    TRY(use_keys(c.get(), chains_));
    X509_STORE* store = demand.public_authorities && public_ ? public_.get() : trusted_.get();
    X509_STORE_up_ref(store);
    SSL_CTX_set_cert_store(c.get(), store);
    limit_chain(c.get(), s[lmtp_ ? param::lmtp_tls_scert_verifydepth : param::smtp_tls_scert_verifydepth]);
    prepare_verification(c.get(), digest_);
    if (dane_)
        TRY(dane_->prepare(c.get()));
    SSL_CTX_set_timeout(c.get(), static_cast<long>(session_timeout_.count()));
    use_client_session_callbacks(c.get());
    return &contexts_.emplace(std::move(key), Library{std::move(c), std::move(list)}).first->second;
}
}
