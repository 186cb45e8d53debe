// Who a certificate says its owner is, in the forms that tables are keyed with.
//
// When things fail: an empty string, which is a key of nothing. Names with NUL bytes or broken UTF-8 are such a case:
// they could pass for another.
#pragma once
#include <string>
#include <string_view>

typedef struct X509_name_st X509_NAME;

namespace tls {
// "/C=US/O=Foo Enterprises/CN=mx.example.org", as OpenSSL's one-line form has it; at most 1,000 octets, longer ones are
// no name.
std::string slash_name(const X509_NAME* name);
// The same for people: printable, cut after `most` octets.
std::string shown_name(const X509_NAME* name, std::size_t most = std::string::npos);
// Sendmail's encoding of slash_name(): what cannot be printed, and blanks and <>()"+, as +XX. Its CERTISSUER: and
// CERTSUBJECT: keys. A slash within a value keeps the backslash that slash_name() put before it, so that no value can
// pass for two.
std::string plus_encode(std::string_view text);
std::string common_name(const X509_NAME* name);
}
