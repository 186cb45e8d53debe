// Log level "trace": the decoded messages of a handshake, for the log where it fails. For accept.cc and connect.cc.
//
// When things fail: nothing can; what is kept is bounded by smtpd_tls_trace_size_limit and smtp_tls_trace_size_limit.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

typedef struct ssl_st SSL;
typedef struct bio_st BIO;

namespace tls {
class HandshakeTrace {
public:
    // size: most bytes; 0: none is kept. It lives as long as the handshake.
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
