#include "tls_files.h"
#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <ctime>
#include "base/bytes.h"
#include "base/fd.h"

namespace postfix {
namespace {
constexpr long lifetime_days = 36525;
constexpr std::size_t common_name_max = 64;  // ub-common-name of RFC 5280
struct FreeBio {
    void operator()(BIO* b) const { BIO_free(b); }
};
struct FreeRequest {
    void operator()(X509_REQ* r) const { X509_REQ_free(r); }
};
struct FreeExtension {
    void operator()(X509_EXTENSION* e) const { X509_EXTENSION_free(e); }
};
struct FreeNumber {
    void operator()(BIGNUM* n) const { BN_free(n); }
};
using BioPtr = std::unique_ptr<BIO, FreeBio>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeExtension>;

Failure failed(const std::string& what) { return permanent(what + ": " + tls::library_errors("no reason given")); }

std::string taken(BIO* bio) {
    char* data = nullptr;
    long size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

int no_passphrase(char*, int, int, void*) { return -1; }

// The extensions that a server's certificate and its request have in common.
Result<std::vector<ExtensionPtr>> extensions(X509V3_CTX& context, const std::vector<std::string>& names) {
    std::string alternatives;
    for (const std::string& name : names)
        alternatives += (alternatives.empty() ? "DNS:" : ",DNS:") + name;
    std::vector<ExtensionPtr> all;
    for (auto [nid, value] : {std::pair{NID_subject_key_identifier, std::string("hash")},
                              {NID_ext_key_usage, "serverAuth,clientAuth"},
                              {NID_subject_alt_name, alternatives}}) {
        ExtensionPtr one(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
        if (!one)
            return failed("cannot make a certificate for " + alternatives);
        all.push_back(std::move(one));
    }
    return all;
}

Result<void> give_serial(X509* x) {
    std::unique_ptr<BIGNUM, FreeNumber> number(BN_new());
    if (!number || BN_rand(number.get(), 159, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) != 1 ||
        !BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x)))
        return failed("cannot make a serial number");
    return {};
}
}

Result<KeyAlgorithm> parse_algorithm(std::string_view name) {
    if (name == "rsa")
        return KeyAlgorithm::rsa;
    if (name == "ecdsa")
        return KeyAlgorithm::ecdsa;
    return permanent(fmt::format("Unsupported public key algorithm: {}", name));
}

KeyAlgorithm algorithm_of(const tls::KeyPtr& key) {
    return EVP_PKEY_is_a(key.get(), "EC") ? KeyAlgorithm::ecdsa : KeyAlgorithm::rsa;
}

Result<tls::KeyPtr> make_key(KeyAlgorithm algorithm, const std::string& bits) {
    tls::KeyPtr key;
    ERR_clear_error();
    if (algorithm == KeyAlgorithm::ecdsa) {
        const std::string curve = bits.empty() || bits == "secp256r1" ? "prime256v1" : bits;
        key.reset(EVP_EC_gen(curve.c_str()));
        if (!key)
            return failed("error generating new ecdsa " + (bits.empty() ? curve : bits) + " private key");
    } else {
        const auto size = bits.empty() ? 2048 : bytes::to_int(bits).value_or(0);
        if (size < 1024 || size > 16384)
            return permanent("error generating new rsa " + bits + " private key: 1024 to 16384 bits are expected");
        key.reset(EVP_RSA_gen(static_cast<unsigned int>(size)));
        if (!key)
            return failed("error generating new rsa " + bits + " private key");
    }
    return key;
}

Result<tls::KeyPtr> read_key(const std::string& file) {
    Result<std::string> text = read_file(file);
    if (!text)
        return permanent("no private key found in file: " + file);
    BioPtr bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
    tls::KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    if (!key)
        return permanent("no private key found in file: " + file);
    return key;
}

Result<std::string> key_text(const tls::KeyPtr& key) {
    BioPtr bio(BIO_new(BIO_s_secmem()));
    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
        return failed("cannot write the private key");
    return taken(bio.get());
}

Result<std::string> self_signed_text(const tls::KeyPtr& key, const std::vector<std::string>& names) {
    tls::X509Ptr x(X509_new());
    if (!x)
        return failed("cannot make a certificate");
    X509_set_version(x.get(), X509_VERSION_3);
    TRY(give_serial(x.get()));
    X509_gmtime_adj(X509_getm_notBefore(x.get()), 0);
    X509_time_adj_ex(X509_getm_notAfter(x.get()), lifetime_days, 0, nullptr);
    X509_NAME* subject = X509_get_subject_name(x.get());
    const std::string& common = names.front();  // a longer one does not fit; clients look at the alternative names
    if (common.size() <= common_name_max &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common.c_str()),
                                   -1, -1, 0) != 1)
        return failed("cannot make a certificate for " + common);
    X509_set_issuer_name(x.get(), subject);
    X509_set_pubkey(x.get(), key.get());
    X509V3_CTX context;
    X509V3_set_ctx(&context, x.get(), x.get(), nullptr, nullptr, 0);
    ExtensionPtr basic(X509V3_EXT_conf_nid(nullptr, &context, NID_basic_constraints, "CA:FALSE"));
    if (!basic || X509_add_ext(x.get(), basic.get(), -1) != 1)
        return failed("cannot make a certificate for " + common);
    TRY_ASSIGN(std::vector<ExtensionPtr> others, extensions(context, names));
    for (const ExtensionPtr& e : others)
        X509_add_ext(x.get(), e.get(), -1);
    if (X509_sign(x.get(), key.get(), EVP_sha256()) <= 0)
        return failed("cannot sign the certificate");
    BioPtr bio(BIO_new(BIO_s_mem()));
    if (!bio || PEM_write_bio_X509(bio.get(), x.get()) != 1)
        return failed("cannot write the certificate");
    return taken(bio.get());
}

Result<std::string> request_text(const tls::KeyPtr& key, const std::vector<std::string>& names) {
    std::unique_ptr<X509_REQ, FreeRequest> request(X509_REQ_new());
    if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_pubkey(request.get(), key.get()) != 1)
        return failed("cannot make a request");
    X509V3_CTX context;
    X509V3_set_ctx(&context, nullptr, nullptr, request.get(), nullptr, 0);
    TRY_ASSIGN(std::vector<ExtensionPtr> wanted, extensions(context, names));
    STACK_OF(X509_EXTENSION)* stack = sk_X509_EXTENSION_new_null();
    for (const ExtensionPtr& e : wanted)
        sk_X509_EXTENSION_push(stack, e.get());
    const int added = X509_REQ_add_extensions(request.get(), stack);
    sk_X509_EXTENSION_free(stack);
    if (added != 1 || X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0)
        return failed("cannot sign the request");
    BioPtr bio(BIO_new(BIO_s_mem()));
    if (!bio || PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1)
        return failed("cannot write the request");
    return taken(bio.get());
}

Result<bool> certificate_matches(const std::string& cert_file, const tls::KeyPtr& key) {
    Result<std::string> text = read_file(cert_file);
    BioPtr bio(text ? BIO_new_mem_buf(text->data(), static_cast<int>(text->size())) : nullptr);
    tls::X509Ptr x(bio ? PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr) : nullptr);
    ERR_clear_error();
    if (!x)
        return permanent("no certificate found in file: " + cert_file);
    const bool matches = X509_check_private_key(x.get(), key.get()) == 1;
    ERR_clear_error();
    return matches;
}

Result<std::string> public_key_digest(const tls::KeyPtr& key) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key.get(), &der);
    if (size <= 0)
        return failed("cannot encode the public key");
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    const int done = EVP_Digest(der, static_cast<std::size_t>(size), digest, &length, EVP_sha256(), nullptr);
    OPENSSL_free(der);
    if (done != 1)
        return failed("cannot compute a digest");
    std::string text;
    for (unsigned int i = 0; i < length; ++i)
        text += fmt::format("{:02x}", digest[i]);
    return text;
}
}
