#include "tls/trace.h"
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <algorithm>
#include <chrono>
#include <string_view>
#include "log/log.h"

namespace tls {
HandshakeTrace::HandshakeTrace(SSL* ssl, std::size_t size) : ssl_(ssl), size_(size) {
    if (size_ == 0)
        return;
    text_ = BIO_new(BIO_s_mem());
    SSL_set_msg_callback(ssl_, note);
    SSL_set_msg_callback_arg(ssl_, this);
}

HandshakeTrace::~HandshakeTrace() {
    if (!text_)
        return;
    SSL_set_msg_callback(ssl_, nullptr);
    BIO_free(text_);
}

void HandshakeTrace::note(int writing, int version, int type, const void* octets, std::size_t n, SSL* ssl, void* self) {
    auto* trace = static_cast<HandshakeTrace*>(self);
    if (BIO_ctrl_pending(trace->text_) < trace->size_)
        SSL_trace(writing, version, type, octets, n, ssl, trace->text_);
}

void HandshakeTrace::log(const std::string& peer, std::int64_t most_a_minute) {
    static std::int64_t minute = 0, logged = 0;
    if (!text_)
        return;
    std::int64_t now =
        std::chrono::duration_cast<std::chrono::minutes>(std::chrono::steady_clock::now().time_since_epoch()).count();
    if (now != minute) {
        minute = now;
        logged = 0;
    }
    if (most_a_minute > 0 && ++logged > most_a_minute)
        return;
    char* start = nullptr;
    std::string_view text(start, 0);
    if (long n = BIO_get_mem_data(text_, &start); n > 0)
        text = std::string_view(start, std::min(static_cast<std::size_t>(n), size_));
    while (!text.empty()) {
        std::size_t end = std::min(text.find('\n'), text.size());
        maillog::info("{}: TLS trace: {}", peer, text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}
}
