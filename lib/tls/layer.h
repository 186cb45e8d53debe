// TLS as the layer of a net::Stream, and what a handshake on either side needs; for accept.cc and connect.cc.
//
// When things fail: a Step with an Error; shake() and handshake_failed() as session.h says.
#pragma once
#include <openssl/ssl.h>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include "base/error.h"
#include "loop/loop.h"
#include "net/stream.h"
#include "tls/callbacks.h"

namespace tls {
class ClientContext;

struct FreeSsl {
    void operator()(SSL* s) const { SSL_free(s); }
};
struct FreeSession {
    void operator()(SSL_SESSION* s) const { SSL_SESSION_free(s); }
};
using SslPtr = std::unique_ptr<SSL, FreeSsl>;
using SessionPtr = std::unique_ptr<SSL_SESSION, FreeSession>;

class TlsLayer final : public net::Layer {
public:
    TlsLayer(SSL_CTX* context, int fd);
    ~TlsLayer() override;
    Step read(char* to, std::size_t most) override;
    Step write(const char* from, std::size_t n) override;
    void shut_down() override;
    SSL* ssl() { return ssl_.get(); }
    // What a call that did not succeed needs next.
    Step step(int result);

    Luggage luggage;
    ClientContext* client = nullptr;
    std::string session_key;  // client: where luggage.made goes

private:
    Step told(Step step);
    SslPtr ssl_;
    bool broken_ = false;
};

// Runs the handshake to its end. fetch() is called when the library waits for a session.
Result<void> shake(net::Stream& stream, TlsLayer& session, loop::Deadline deadline, const std::function<void()>& fetch);
// Logs "SSL_accept error from PEER: REASON" (verb, peer) and everything in the library's error queue.
Failure handshake_failed(const char* verb, const std::string& peer, Error error);
void log_library_errors();
void ignore_broken_pipes();  // OpenSSL writes with write(2)
// Null where the stream is not under TLS.
TlsLayer* tls_layer_of(net::Stream& stream);
}
