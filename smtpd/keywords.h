// The keywords that EHLO's reply offers, as bits.
#pragma once
#include <string>
#include <string_view>

namespace smtpd {
namespace keyword {
inline constexpr unsigned pipelining = 1, size = 2, vrfy = 4, etrn = 8, starttls = 16, auth = 32,
                          enhancedstatuscodes = 64, eightbitmime = 128, dsn = 256, smtputf8 = 512, chunking = 1024,
                          verp = 2048, xclient = 4096, xforward = 8192, silent = 16384, requiretls = 32768;
}
// Of a list of names (smtpd_discard_ehlo_keywords); others get a warning that names the parameter.
unsigned parse_keywords(std::string_view text, std::string_view parameter);
std::string keyword_names(unsigned keywords);  // "PIPELINING SIZE"
}
