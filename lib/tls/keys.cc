#include "tls/keys.h"
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include "base/bytes.h"
#include "base/fd.h"

namespace tls {
void FreeX509::operator()(X509* x) const { X509_free(x); }
void FreeKey::operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }

namespace {
constexpr std::size_t file_limit = 1u << 20, objects_limit = 200;
struct FreeBio {
    void operator()(BIO* b) const { BIO_free(b); }
};

Failure bad(std::string text) { return temporary(std::move(text), {4, 7, 0}); }

struct PemObject {
    std::string name, header, data;
};

// The PEM objects of a file in their order. PEM_read_bio skips what stands between them.
Result<std::vector<PemObject>> parse_pem(std::string_view text) {
    std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    std::vector<PemObject> objects;
    char *name, *header;
    unsigned char* data;
    long length;
    while (objects.size() < objects_limit && PEM_read_bio(bio.get(), &name, &header, &data, &length) == 1) {
        objects.push_back({name, header, std::string(reinterpret_cast<char*>(data), static_cast<std::size_t>(length))});
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, static_cast<std::size_t>(length));
    }
    bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!end)
        return bad(library_errors("malformed PEM text"));
    ERR_clear_error();
    return objects;
}

Result<std::vector<PemObject>> read_pem(const std::string& file) {
    auto text = read_file(file, file_limit);
    if (!text)
        return bad(text.error().sys_errno ? errno_text(text.error().sys_errno) : text.error().reason);
    return parse_pem(*text);
}

bool is_key(const PemObject& o) { return o.name.ends_with("PRIVATE KEY"); }
bool is_certificate(const PemObject& o) {
    return o.name == "CERTIFICATE" || o.name == "X509 CERTIFICATE" || o.name == "TRUSTED CERTIFICATE";
}

Result<KeyPtr> decode_key(const PemObject& o) {
    if (o.name == "ENCRYPTED PRIVATE KEY" || o.header.find("ENCRYPTED") != o.header.npos)
        return bad("the key is encrypted");
    auto* p = reinterpret_cast<const unsigned char*>(o.data.data());
    auto length = static_cast<long>(o.data.size());
    KeyPtr key(d2i_AutoPrivateKey(nullptr, &p, length));
    if (!key)
        return bad(library_errors("malformed key"));
    ERR_clear_error();
    return key;
}

Result<X509Ptr> decode_certificate(const PemObject& o) {
    auto* p = reinterpret_cast<const unsigned char*>(o.data.data());
    auto length = static_cast<long>(o.data.size());
    X509Ptr x(o.name == "TRUSTED CERTIFICATE" ? d2i_X509_AUX(nullptr, &p, length) : d2i_X509(nullptr, &p, length));
    if (!x)
        return bad(library_errors("malformed certificate"));
    return x;
}

Result<void> check_pair(const Chain& chain) {
    if (X509_check_private_key(chain.certificate.get(), chain.key.get()) == 1)
        return {};
    ERR_clear_error();
    return bad("the key does not match the certificate in " + chain.file);
}

Failure chain_error(std::string_view file, std::string_view cause) {
    return bad(fmt::format("error loading chain from {}: {}", file, cause));
}

// Key, certificate, issuers; the next key starts another chain. `key` waits for its certificate, also over the end of a
// file.
Result<void> load_chain_objects(const std::vector<PemObject>& objects, const std::string& file,
                                std::vector<Chain>& chains, KeyPtr& key) {
    for (const PemObject& o : objects) {
        if (is_key(o)) {
            if (key)
                return bad("no certificate follows a private key");
            TRY_ASSIGN(key, decode_key(o));
        } else if (is_certificate(o)) {
            TRY_ASSIGN(X509Ptr x, decode_certificate(o));
            if (key) {
                chains.push_back({std::move(key), std::move(x), {}, file});
                TRY(check_pair(chains.back()));
            } else if (chains.empty()) {
                return bad("key not first: no private key stands before the first certificate");
            } else {
                chains.back().issuers.push_back(std::move(x));
            }
        }
    }
    return {};
}

Result<void> load_chain_file(const std::string& file, std::vector<Chain>& chains, KeyPtr& key) {
    TRY_ASSIGN(auto objects, read_pem(file));
    return load_chain_objects(objects, file, chains, key);
}

// What Postfix writes, and the cause.
Failure pair_error(std::string_view algorithm, std::string_view part, const std::string& file, const Error& cause) {
    return bad(fmt::format("cannot get {} {} from file \"{}\": disabling TLS support: {}", algorithm, part, file,
                           cause.reason));
}

Result<void> load_certificates(const std::string& file, Chain& chain) {
    TRY_ASSIGN(auto objects, read_pem(file));
    for (const PemObject& o : objects) {
        if (!is_certificate(o))
            continue;
        TRY_ASSIGN(X509Ptr x, decode_certificate(o));
        if (!chain.certificate)
            chain.certificate = std::move(x);
        else
            chain.issuers.push_back(std::move(x));
    }
    if (!chain.certificate)
        return bad("no certificate in it");
    return {};
}

Result<void> load_key(const std::string& file, Chain& chain) {
    TRY_ASSIGN(auto objects, read_pem(file));
    for (const PemObject& o : objects)
        if (is_key(o) && !chain.key) {
            TRY_ASSIGN(chain.key, decode_key(o));
        }
    if (!chain.key)
        return bad("no private key in it");
    return check_pair(chain);
}

Result<void> load_pair(std::string_view algorithm, const std::string& cert_file, const std::string& key_file,
                       std::vector<Chain>& chains) {
    if (cert_file.empty())
        return {};
    Chain chain;
    chain.file = cert_file;
    if (auto loaded = load_certificates(cert_file, chain); !loaded)
        return pair_error(algorithm, "certificate", cert_file, loaded.error());
    const std::string& file = key_file.empty() ? cert_file : key_file;
    if (auto loaded = load_key(file, chain); !loaded)
        return pair_error(algorithm, "private key", file, loaded.error());
    chains.push_back(std::move(chain));
    return {};
}
}

std::string library_errors(std::string_view fallback) {
    std::string text;
    for (unsigned long code; (code = ERR_get_error());)
        if (const char* reason = ERR_reason_error_string(code); reason && text.find(reason) == text.npos)
            text += (text.empty() ? "" : "; ") + std::string(reason);
    return text.empty() ? std::string(fallback) : text;
}

Result<std::vector<Chain>> load_keys(const KeyFiles& files) {
    std::vector<Chain> chains;
    if (!files.chain_files.empty()) {
        KeyPtr key;
        auto names = bytes::split(files.chain_files, " \t\r\n,");
        if (names.size() == 1 && names[0] == "none")
            return chains;
        for (std::string_view name : names)
            if (auto loaded = load_chain_file(std::string(name), chains, key); !loaded)
                return chain_error(name, loaded.error().reason);
        if (key)
            return chain_error(names.back(), "no certificate follows the private key");
        if (chains.empty())
            return chain_error(files.chain_files, "no private key and certificate in it");
        return chains;
    }
    TRY(load_pair("RSA", files.cert_file == "none" ? std::string() : files.cert_file, files.key_file, chains));
    TRY(load_pair("DSA", files.dcert_file, files.dkey_file, chains));
    TRY(load_pair("ECDSA", files.eccert_file, files.eckey_file, chains));
    return chains;
}

Result<std::vector<Chain>> parse_keys(std::string_view text, const std::string& title) {
    std::vector<Chain> chains;
    KeyPtr key;
    if (text.size() > file_limit)
        return chain_error(title, "too long");
    auto objects = parse_pem(text);
    if (!objects)
        return chain_error(title, objects.error().reason);
    if (auto loaded = load_chain_objects(*objects, title, chains, key); !loaded)
        return chain_error(title, loaded.error().reason);
    if (key || chains.empty())
        return chain_error(title, "no private key and certificate in it");
    return chains;
}

// use: SSL_use_cert_and_key or its like for contexts, with its first argument. title: what the chains' file is, for the
// Error.
template <class Owner>
static Result<void> use_chains(Owner* owner, int (*use)(Owner*, X509*, EVP_PKEY*, STACK_OF(X509) *, int),
                               const std::vector<Chain>& chains, const char* title) {
    for (const Chain& chain : chains) {
        STACK_OF(X509)* issuers = sk_X509_new_null();
        for (const X509Ptr& x : chain.issuers)
            sk_X509_push(issuers, x.get());
        int good = use(owner, chain.certificate.get(), chain.key.get(), issuers, 1);
        sk_X509_free(issuers);
        if (good != 1)
            return bad(fmt::format("cannot use {}{}: {}", title, chain.file, library_errors("refused")));
    }
    return {};
}

Result<void> use_keys(SSL* session, const std::vector<Chain>& chains) {
    SSL_certs_clear(session);
    return use_chains(session, SSL_use_cert_and_key, chains, "");
}
Result<void> use_keys(SSL_CTX* context, const std::vector<Chain>& chains) {
    return use_chains(context, SSL_CTX_use_cert_and_key, chains, "certificate file ");
}
}
