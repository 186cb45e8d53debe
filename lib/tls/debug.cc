#include "tls/debug.h"
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <algorithm>
#include <cstdint>
#include "base/bytes.h"
#include "log/log.h"

namespace tls {
namespace {
void show(const SSL* ssl, int where, int value) {
    const char* verb = where & SSL_ST_CONNECT ? "SSL_connect" : where & SSL_ST_ACCEPT ? "SSL_accept" : "undefined";
    if (where & SSL_CB_LOOP) {
        maillog::info("{}:{}", verb, SSL_state_string_long(ssl));
    } else if (where & SSL_CB_ALERT) {
        if ((value & 0xff) != SSL_AD_CLOSE_NOTIFY)
            maillog::info("SSL3 alert {}:{}:{}", where & SSL_CB_READ ? "read" : "write",
                          SSL_alert_type_string_long(value), SSL_alert_desc_string_long(value));
    } else if ((where & SSL_CB_EXIT) && value == 0) {
        maillog::info("{}:failed in {}", verb, SSL_state_string_long(ssl));
    } else if ((where & SSL_CB_EXIT) && value < 0) {
        const int error = SSL_get_error(ssl, value);
        const bool waits =
            error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_CLIENT_HELLO_CB;
        if (!waits)
            maillog::info("{}:error in {}", verb, SSL_state_string_long(ssl));
    }
}

constexpr std::size_t row = 16, text_limit = 40;

// "0010 47 45 54 20 2f 20 48 54|54 50  GET / HT TP"; blanks and zeros at the end are left off.
void dump(const unsigned char* data, std::size_t size) {
    std::size_t kept = size;
    while (kept > 0 && (data[kept - 1] == ' ' || data[kept - 1] == 0))
        --kept;
    for (std::size_t at = 0; at < kept; at += row) {
        const std::size_t n = std::min(row, kept - at);
        std::string line = fmt::format("{:04x} ", at), text;
        for (std::size_t i = 0; i < row; ++i) {
            const unsigned char c = i < n ? data[at + i] : ' ';
            line += i < n ? fmt::format("{:02x}{}", c, i == 7 ? '|' : ' ') : "   ";
            if (i == 8)
                text += ' ';
            if (i < n)
                text += c > ' ' && c < 127 ? static_cast<char>(c) : c == ' ' ? ' ' : '.';
        }
        maillog::info("{} {}", line, text);
    }
    if (kept < size)
        maillog::info("{:04x} - <SPACES/NULLS>", kept);
}

std::uintptr_t address(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }

long show_transfer(BIO* bio, int what, const char* data, std::size_t size, int, long, int result, std::size_t* done) {
    if (what != (BIO_CB_READ | BIO_CB_RETURN) && what != (BIO_CB_WRITE | BIO_CB_RETURN))
        return result;
    const char* verb = what == (BIO_CB_WRITE | BIO_CB_RETURN) ? "write to" : "read from";
    if (result <= 0 || !done) {
        maillog::info("{} {:X} [{:X}] ({} bytes => {})", verb, address(bio), address(data), size, result);
        return result;
    }
    maillog::info("{} {:X} [{:X}] ({} bytes => {} (0x{:X}))", verb, address(bio), address(data), size, *done, *done);
    dump(reinterpret_cast<const unsigned char*>(data), *done);
    return result;
}
}

void show_bytes(SSL* ssl, bool on) {
    for (BIO* bio : {SSL_get_rbio(ssl), SSL_get_wbio(ssl)})
        if (bio)
            BIO_set_callback_ex(bio, on ? show_transfer : nullptr);
}

void show_text(std::string_view verb, std::string_view text) {
    maillog::info("{} {} chars: {}", verb, text.size(), bytes::printable(text.substr(0, text_limit)));
}

void show_handshake(SSL* ssl) { SSL_set_info_callback(ssl, show); }
}
