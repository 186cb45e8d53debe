// Private keys, self-signed certificates, signing requests and TLSA digests for `postfix tls`, made by libcrypto.
//
// When things fail: an Error whose reason names the file, or what was asked for, and the library's cause.
#pragma once
#include <string>
#include <vector>
#include "base/error.h"
#include "tls/keys.h"

namespace postfix {
enum class KeyAlgorithm { rsa, ecdsa };
// "rsa", "ecdsa".
Result<KeyAlgorithm> parse_algorithm(std::string_view name);
KeyAlgorithm algorithm_of(const tls::KeyPtr& key);

// bits: for rsa a number, for ecdsa the name of a curve; "" is the default (2048, secp256r1).
Result<tls::KeyPtr> make_key(KeyAlgorithm algorithm, const std::string& bits);
// The first key of a file. A passphrase is never asked for.
Result<tls::KeyPtr> read_key(const std::string& file);

// PEM texts. The first name is the certificate's CommonName, and all are its alternative names; it is good for 100
// years.
Result<std::string> key_text(const tls::KeyPtr& key);
Result<std::string> self_signed_text(const tls::KeyPtr& key, const std::vector<std::string>& names);
Result<std::string> request_text(const tls::KeyPtr& key, const std::vector<std::string>& names);

// The first certificate of a file belongs to the key.
Result<bool> certificate_matches(const std::string& cert_file, const tls::KeyPtr& key);
// SHA-256 of the public key's DER form, in hexadecimal: what TLSA 3 1 1 holds.
Result<std::string> public_key_digest(const tls::KeyPtr& key);
}
