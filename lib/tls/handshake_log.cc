#include "tls/handshake_log.h"
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include "log/log.h"
#include "tls/log_options.h"

namespace tls {
namespace {
void note_state(const SSL* ssl, int where, int result) {
    const char* side = SSL_is_server(ssl) ? "SSL_accept" : "SSL_connect";
    if (where & SSL_CB_LOOP) maillog::info("{}:{}", side, SSL_state_string_long(ssl));
    else if (where & SSL_CB_ALERT && (result >> 8 != SSL3_AL_WARNING || (result & 0xff) != SSL3_AD_CLOSE_NOTIFY))
        maillog::info("SSL3 alert {}:{}:{}", where & SSL_CB_READ ? "read" : "write", SSL_alert_type_string_long(result), SSL_alert_desc_string_long(result));
    else if (where & SSL_CB_EXIT && result == 0) maillog::info("{}:failed in {}", side, SSL_state_string_long(ssl));
}

void dump(std::string_view octets) {
    for (std::size_t at = 0; at < octets.size(); at += 16) {
        std::string_view line = octets.substr(at, 16);
        std::string hex, text;
        for (std::size_t i = 0; i < line.size(); ++i) {
            auto c = static_cast<unsigned char>(line[i]);
            hex += fmt::format("{:02x}{}", c, i == 7 ? '-' : ' ');
            text += c >= 32 && c < 127 ? static_cast<char>(c) : '.';
        }
        maillog::info("{:04x} {:<48} {}", at, hex, text);
    }
}

long note_octets(BIO*, int operation, const char* octets, std::size_t, int, long, int result, std::size_t* done) {
    bool reading = operation == (BIO_CB_READ | BIO_CB_RETURN), writing = operation == (BIO_CB_WRITE | BIO_CB_RETURN);
    if ((!reading && !writing) || result <= 0 || !done) return result;
    maillog::info("{} ({} bytes)", reading ? "read from the peer" : "written to the peer", *done);
    dump({octets, *done});
    return result;
}

void set_dump(SSL* ssl, BIO_callback_fn_ex callback) {
    BIO_set_callback_ex(SSL_get_rbio(ssl), callback);
    BIO_set_callback_ex(SSL_get_wbio(ssl), callback);
}
}

void watch_handshake(SSL* ssl, const Luggage& luggage) {
    if (luggage.log & log_option::ssl_debug) SSL_set_info_callback(ssl, note_state);
    if (luggage.log & (log_option::handshake_dump | log_option::session_dump)) set_dump(ssl, note_octets);
}

void stop_watching(SSL* ssl, const Luggage& luggage) {
    SSL_set_info_callback(ssl, nullptr);
    if (!(luggage.log & log_option::session_dump)) set_dump(ssl, nullptr);
}

HandshakeTrace::HandshakeTrace(SSL* ssl, std::size_t size) : ssl_(ssl), size_(size) {
    if (size_ == 0) return;
    text_ = BIO_new(BIO_s_mem());
    SSL_set_msg_callback(ssl_, note);
    SSL_set_msg_callback_arg(ssl_, this);
}

HandshakeTrace::~HandshakeTrace() {
    if (!text_) return;
    SSL_set_msg_callback(ssl_, nullptr);
    BIO_free(text_);
}

void HandshakeTrace::note(int writing, int version, int type, const void* octets, std::size_t n, SSL* ssl, void* self) {
    auto* trace = static_cast<HandshakeTrace*>(self);
    if (BIO_ctrl_pending(trace->text_) < trace->size_) SSL_trace(writing, version, type, octets, n, ssl, trace->text_);
}

void HandshakeTrace::log(const std::string& peer, std::int64_t most_a_minute) {
    static std::int64_t minute = 0, logged = 0;
    if (!text_) return;
    std::int64_t now = std::chrono::duration_cast<std::chrono::minutes>(std::chrono::steady_clock::now().time_since_epoch()).count();
    if (now != minute) { minute = now; logged = 0; }
    if (most_a_minute > 0 && ++logged > most_a_minute) return;
    char* start = nullptr;
    std::string_view text(start, 0);
    if (long n = BIO_get_mem_data(text_, &start); n > 0) text = std::string_view(start, std::min(static_cast<std::size_t>(n), size_));
    while (!text.empty()) {
        std::size_t end = std::min(text.find('\n'), text.size());
        maillog::info("{}: TLS trace: {}", peer, text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}
}
