// Private keys and certificate chains from files. Read as root, before the jail; never asks for a passphrase.
//
// When things fail: an Error whose reason names the file and the cause: it cannot be read, holds no certificate or key,
// the key is encrypted, or key and certificate do not belong together.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct x509_st X509;
typedef struct evp_pkey_st EVP_PKEY;

namespace tls {
// As main.cf names them; all empty: no certificate. chain_files, where set, stands for the others.
struct KeyFiles {
    std::string chain_files;  // files of key, certificate, issuers …; several keys in one file or more
    std::string cert_file, key_file, dcert_file, dkey_file, eccert_file, eckey_file;
    bool none() const { return chain_files.empty() && cert_file.empty() && dcert_file.empty() && eccert_file.empty(); }
};

struct FreeX509 {
    void operator()(X509* x) const;
};
struct FreeKey {
    void operator()(EVP_PKEY* k) const;
};
using X509Ptr = std::unique_ptr<X509, FreeX509>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;

struct Chain {
    KeyPtr key;
    X509Ptr certificate;
    std::vector<X509Ptr> issuers;
    std::string file;  // the certificate's, for messages
};
// All chains, in the order written. "none" as the only word (server) means: no certificate on purpose.
Result<std::vector<Chain>> load_keys(const KeyFiles& files);
// The same of a text, as in a chain file; title for messages.
Result<std::vector<Chain>> parse_keys(std::string_view text, const std::string& title);
Result<void> use_keys(SSL_CTX* context, const std::vector<Chain>& chains);
// For one session alone, in place of its context's.
Result<void> use_keys(SSL* session, const std::vector<Chain>& chains);

// Takes everything from OpenSSL's error queue: "key values mismatch; …", or fallback where it is empty.
std::string library_errors(std::string_view fallback);
}
