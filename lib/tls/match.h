// What a server's certificate is compared with: names by strategy, digests as fingerprints. Comparing names is the TLS
// library's work.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "base/error.h"
#include "tls/demand.h"

typedef struct x509_st X509;
typedef struct evp_md_st EVP_MD;

namespace tls {
// nexthop, dot-nexthop, hostname, example.org and .example.org as the library compares them: "mx.example.org",
// ".example.org"; lower case, each once. Strategies of an empty name fall away.
std::vector<std::string> expected_names(const std::vector<std::string>& strategies, std::string_view nexthop,
                                        std::string_view host);

// "AB:cd:12…" or the same without colons, as octets; absent for anything else.
std::optional<std::string> parse_fingerprint(std::string_view text);
// smtp_tls_fingerprint_digest and its like. An Error names the parameter's value.
Result<const EVP_MD*> find_digest(const std::string& name);
// "AB:CD:…" of the certificate, and of its public key (DER of SubjectPublicKeyInfo).
std::string fingerprint(const X509* certificate, const EVP_MD* digest);
std::string key_fingerprint(const X509* certificate, const EVP_MD* digest);

// Certificates and public keys of a PEM file as records 2 0 0 and 2 1 0. The Error names the file.
Result<std::vector<Tlsa>> load_anchors(const std::string& file);
}
