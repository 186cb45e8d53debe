// What log levels 2 to 4 add: the library's states, and the bytes on the wire in hexadecimal.
//
// When things fail: nothing can; what is logged is bounded by what the peer sends.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include "tls/callbacks.h"

typedef struct bio_st BIO;

namespace tls {
// By luggage.log; the luggage hangs on the session already.
void watch_handshake(SSL* ssl, const Luggage& luggage);
// After the handshake: from now on only ssl-session-packet-dump goes on.
void stop_watching(SSL* ssl, const Luggage& luggage);

// The decoded messages of one handshake (log level "trace"), kept for the case that it fails. size: most bytes; 0: none is kept.
class HandshakeTrace {
public:
    HandshakeTrace(SSL* ssl, std::size_t size);
    ~HandshakeTrace();
    HandshakeTrace(const HandshakeTrace&) = delete;
    // At most so many a minute in this process; 0: no limit.
    void log(const std::string& peer, std::int64_t most_a_minute);

private:
    static void note(int writing, int version, int type, const void* octets, std::size_t n, SSL* ssl, void* self);
    SSL* ssl_;
    std::size_t size_;
    BIO* text_ = nullptr;
};
}
