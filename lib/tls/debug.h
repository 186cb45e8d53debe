// What loglevels 2 to 4 show of a session: the handshake step by step, and the bytes on the wire. For accept.cc and
// connect.cc.
#pragma once
#include <string_view>

typedef struct ssl_st SSL;

namespace tls {
// From now on "SSL_connect:SSLv3/TLS write client hello", "SSL3 alert read:fatal:unknown CA" … (ssl-debug).
void show_handshake(SSL* ssl);
// From now on all that is read and written, in hexadecimal (ssl-handshake-packet-dump, ssl-session-packet-dump); or no
// more.
void show_bytes(SSL* ssl, bool on);
// What went within TLS: "Read 6 chars: QUIT??" (ssl-session-packet-dump).
void show_text(std::string_view verb, std::string_view text);
}
