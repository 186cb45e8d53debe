// The texts of main.cf that choose protocols, ciphers, groups and library options, turned into what OpenSSL takes.
// Pure.
//
// When things fail: an Error (5.3.5) that names the bad word; its caller names the parameter.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include "base/error.h"

namespace conf {
class Settings;
}

namespace tls {
// Protocol versions as OpenSSL numbers them (0x0301 TLSv1 … 0x0304 TLSv1.3); 0 leaves that end open. `off` has the
// SSL_OP_NO_… bits.
struct Protocols {
    int lowest = 0, highest = 0;
    std::uint64_t off = 0;
};
// ">=TLSv1.2, <=TLSv1.3", "!SSLv2, !SSLv3", "TLSv1.2 TLSv1.3" (these alone); a number in hexadecimal stands for a
// version: ">=0303".
Result<Protocols> parse_protocols(std::string_view text);

// The cipher list of a grade (export low medium high null, any case), by tls_GRADE_cipherlist; export and low stand for
// medium where their own list is empty. exclude: names that are taken out, separated by blanks, commas or colons.
Result<std::string> cipher_list(const conf::Settings& settings, std::string_view grade, std::string_view exclude);

// The members of tls_eecdh_auto_curves and tls_ffdhe_auto_groups that this OpenSSL has, joined by ':'.
std::string known_groups(std::string_view curves, std::string_view ffdhe);

// tls_ssl_options: names such as NO_TICKET, or one hexadecimal mask; bits to set. tls_disable_workarounds: bits of
// SSL_OP_ALL to clear.
Result<std::uint64_t> parse_ssl_options(std::string_view text);
Result<std::uint64_t> parse_workarounds(std::string_view text);
}
