#include "tls/verify.h"
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <algorithm>
#include "base/bytes.h"
#include "log/log.h"
#include "tls/identity.h"
#include "tls/keys.h"
#include "tls/match.h"

namespace tls {
namespace {
constexpr std::size_t name_length = 512;  // in the log

// Lets every chain pass and remembers the first thing that is wrong with it.
int look_on(int good, X509_STORE_CTX* chain) {
    auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* v = ssl ? static_cast<Verification*>(SSL_get_app_data(ssl)) : nullptr;
    if (!v)
        return 1;
    X509* certificate = X509_STORE_CTX_get_current_cert(chain);
    int error = X509_STORE_CTX_get_error(chain);
    if (certificate && (v->log & log_option::verbose))
        maillog::info("{}: depth={} verify={} subject={}", v->peer, X509_STORE_CTX_get_error_depth(chain), good,
                      shown_name(X509_get_subject_name(certificate), name_length));
    int depth = X509_STORE_CTX_get_error_depth(chain);
    if (!good && (!v->error ||
                  depth < v->depth)) {  // what is nearer to the server tells more: a wrong name before an unknown CA
        v->error = error;
        v->depth = depth;
        if (certificate)
            v->issuer = shown_name(X509_get_issuer_name(certificate), name_length);
    }
    if (v->error)
        X509_STORE_CTX_set_error(chain, v->error);  // what a resumed session will say as well
    return 1;
}

bool untrusted_issuer(int error) {
    return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT || error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE || error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
}

Flaw flaw_of(long error) {
    if (error == X509_V_OK)
        return Flaw::none;
    if (error == X509_V_ERR_HOSTNAME_MISMATCH)
        return Flaw::name;
    if (error == X509_V_ERR_CERT_HAS_EXPIRED)
        return Flaw::expired;
    return untrusted_issuer(static_cast<int>(error)) ? Flaw::issuer : Flaw::other;
}

void log_failure(SSL* ssl, const Verification& v, long result) {
    int error = v.error ? v.error : static_cast<int>(result);
    if (untrusted_issuer(error) && !v.issuer.empty())
        maillog::info("certificate verification failed for {}: untrusted issuer {}", v.peer, v.issuer);
    else if (error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT)
        maillog::info("certificate verification failed for {}: self-signed certificate", v.peer);
    else if (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID)
        maillog::info("server certificate verification failed for {}: {}", v.peer,
                      error == X509_V_ERR_CERT_HAS_EXPIRED ? "certificate has expired" : "certificate not yet valid");
    else if (error == X509_V_ERR_CERT_CHAIN_TOO_LONG)
        maillog::info("certificate verification failed for {}: certificate chain longer than limit({})", v.peer,
                      SSL_get_verify_depth(ssl));
    else
        maillog::info("server certificate verification failed for {}: num={}:{}", v.peer, error,
                      X509_verify_cert_error_string(error));
}

// A record's data: all of it where it is a digest, else both ends.
std::string shown_data(const unsigned char* data, std::size_t length) {
    constexpr std::size_t digest_max = 64, end = 32;
    std::string_view all(reinterpret_cast<const char*>(data), length);
    if (length <= digest_max)
        return bytes::hex_encode(all, true);
    return bytes::hex_encode(all.substr(0, end), true) + "..." + bytes::hex_encode(all.substr(length - end), true);
}

void log_match(SSL* ssl, const Demand& demand, const Verification& v) {
    if (const char* name = SSL_get0_peername(ssl))
        maillog::info("{}: matched peername: {}", v.peer, bytes::printable(std::string_view(name).substr(0, 255)));
    X509* anchor = nullptr;
    std::uint8_t usage = 0, selector = 0, type = 0;
    const unsigned char* data = nullptr;
    std::size_t length = 0;
    const int depth = demand.records.empty() ? -1 : SSL_get0_dane_authority(ssl, &anchor, nullptr);
    if (depth < 0 || SSL_get0_dane_tlsa(ssl, &usage, &selector, &type, &data, &length) < 0)
        return;
    if (demand.level == Level::fingerprint)
        maillog::info("{}: Matched fingerprint: {}", v.peer, shown_data(data, length));
    else if (demand.level == Level::verify || demand.level == Level::secure)
        maillog::info("{}: Matched trust anchor at depth {}", v.peer, depth);
    else
        maillog::info("{}: Matched DANE {} certificate at depth {}: {} {} {} {}", v.peer, usage == 3 ? "EE" : "TA",
                      depth, usage, selector, type, shown_data(data, length));
}
}

void prepare_verification(SSL_CTX* context, const EVP_MD* fingerprint_digest) {
    SSL_CTX_dane_enable(context);
    SSL_CTX_dane_set_flags(context, DANE_FLAG_NO_DANE_EE_NAMECHECKS);  // RFC 7672, section 3.1.1
    if (fingerprint_digest)
        SSL_CTX_dane_mtype_set(context, fingerprint_digest, Tlsa::fingerprint_type, 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, look_on);  // judged after the handshake, by the level
    ERR_clear_error();
}

void expect(SSL* ssl, const Demand& demand, bool multi_label, Verification& verification) {
    SSL_set_app_data(ssl, &verification);
    unsigned usable = 0;
    if (!demand.records.empty()) {
        bool enabled = SSL_dane_enable(ssl, nullptr) > 0;
        for (const Tlsa& r : demand.records) {
            if (!enabled)
                break;
            auto* data = reinterpret_cast<const unsigned char*>(r.data.data());
            if (SSL_dane_tlsa_add(ssl, r.usage, r.selector, r.matching, data, r.data.size()) > 0)
                ++usable;
            else
                maillog::warning("{}: unusable TLSA RR: {} {} {} {}", verification.peer, r.usage, r.selector,
                                 r.matching, bytes::hex_encode(std::string_view(r.data).substr(0, 64)));
        }
        if (!usable && demand.level == Level::fingerprint)
            maillog::warning("{}: all fingerprints unusable", verification.peer);
        if (!usable)
            verification.error = X509_V_ERR_UNSPECIFIED;  // the library would look for a CA instead
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                               (multi_label ? X509_CHECK_FLAG_MULTI_LABEL_WILDCARDS : 0u));
    bool first = true;
    for (const std::string& name : demand.names) {
        bool good = first ? SSL_set1_host(ssl, name.c_str()) == 1 : SSL_add1_host(ssl, name.c_str()) == 1;
        if (good)
            first = false;
    }
    bool by_name = demand.level == Level::verify || demand.level == Level::secure;
    if (by_name && first)
        verification.error = X509_V_ERR_HOSTNAME_MISMATCH;
    ERR_clear_error();
}

void judge(SSL* ssl, const Demand& demand, const EVP_MD* fingerprint_digest, const Verification& verification,
           Info& info) {
    SSL_set_app_data(ssl, nullptr);
    X509Ptr certificate(SSL_get1_peer_certificate(ssl));
    long result = SSL_get_verify_result(ssl);
    if (verification.error && result == X509_V_OK)
        result = verification.error;
    if (certificate) {
        info.status = result != X509_V_OK                                          ? PeerStatus::untrusted
                      : verified(demand.level) && demand.level != Level::half_dane ? PeerStatus::verified
                                                                                   : PeerStatus::trusted;
        info.flaw = flaw_of(result);
        info.verify_error = result == X509_V_OK ? "" : X509_verify_cert_error_string(result);
    }
    bool matters = verified(demand.level) || (verification.log & log_option::untrusted);
    if (certificate && result != X509_V_OK && matters)
        log_failure(ssl, verification, result);
    if (certificate && result == X509_V_OK && verified(demand.level) && (verification.log & log_option::certmatch))
        log_match(ssl, demand, verification);
    if (certificate && (verification.log & log_option::peercert) && fingerprint_digest)
        maillog::info("{}: subject_CN={}, issuer={}, cert fingerprint={}, pkey fingerprint={}", verification.peer,
                      info.peer_name, info.issuer_name, fingerprint(certificate.get(), fingerprint_digest),
                      key_fingerprint(certificate.get(), fingerprint_digest));
}
}
