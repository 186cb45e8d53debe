// ssl-debug of smtp_tls_loglevel and its like: the handshake step by step, a line for each state and alert. For accept.cc and connect.cc.
#pragma once

typedef struct ssl_st SSL;

namespace tls {
// "SSL_connect:SSLv3/TLS write client hello", "SSL3 alert read:fatal:unknown CA" … in the log from now on.
void show_handshake(SSL* ssl);
}
