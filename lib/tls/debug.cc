#include "tls/debug.h"
#include <openssl/ssl.h>
#include "log/log.h"

namespace tls {
namespace {
void show(const SSL* ssl, int where, int value) {
    const char* verb = where & SSL_ST_CONNECT ? "SSL_connect" : where & SSL_ST_ACCEPT ? "SSL_accept" : "undefined";
    if (where & SSL_CB_LOOP) {
        maillog::info("{}:{}", verb, SSL_state_string_long(ssl));
    } else if (where & SSL_CB_ALERT) {
        if ((value & 0xff) != SSL_AD_CLOSE_NOTIFY)
            maillog::info("SSL3 alert {}:{}:{}", where & SSL_CB_READ ? "read" : "write", SSL_alert_type_string_long(value), SSL_alert_desc_string_long(value));
    } else if ((where & SSL_CB_EXIT) && value == 0) {
        maillog::info("{}:failed in {}", verb, SSL_state_string_long(ssl));
    } else if ((where & SSL_CB_EXIT) && value < 0) {
        const int error = SSL_get_error(ssl, value);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) maillog::info("{}:error in {}", verb, SSL_state_string_long(ssl));
    }
}
}

void show_handshake(SSL* ssl) { SSL_set_info_callback(ssl, show); }
}
